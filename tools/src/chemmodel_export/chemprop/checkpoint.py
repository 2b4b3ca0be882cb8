"""What Chemprop 2.1 or newer saves, as a network that computes the same.

Whatever would change an answer and cannot be served is refused: other features, other networks, descriptors beside the
molecule. How SMILES were read in training is in no checkpoint; a folder of `chemprop train` tells it in `config.toml`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from chemmodel_export.chemprop import activation, pickled
from chemmodel_export.chemprop.features import ATOM_WIDTH, BOND_WIDTH
from chemmodel_export.chemprop.network import MEAN, NORM, SUM, Dmpnn, Shape, Unscale
from chemmodel_export.errors import ExportError
from chemmodel_export.files import read_json

MEMBERS, ANSWERS, TRAINING, CONFIG = "model_*/best.pt", "answers.json", "training.json", "config.toml"
AGGREGATIONS = {"MeanAggregation": MEAN, "SumAggregation": SUM, "NormAggregation": NORM}
OTHER_FEATURIZERS = {133: "v1", 44: "organic", 52: "RIGR"}  # by the width of an atom
NEEDED_FLAGS = {"add-h": False, "keep-h": False, "ignore-stereo": True}
KNOWN_TENSORS = re.compile(
    r"message_passing\.W_[iho]\.\w+|bn\.\w+|predictor\.(ffn\.\d+\.[02]|output_transform|criterion)\.\w+|metrics\.\d+\.\w+"
)


@dataclass(frozen=True)
class Trained:
    members: list[Dmpnn]
    training: dict  # empty unless the folder is one of tools/chemprop/train.py

    @property
    def outputs(self) -> int:
        return self.members[0].outputs


def load(folder: Path) -> Trained:
    """The ensemble in a folder as `chemprop train` lays it out."""
    paths = sorted(folder.glob(MEMBERS))
    if not paths:
        raise ExportError(f"{folder} has no {MEMBERS}: give the folder that `chemprop train` wrote")
    if (folder / CONFIG).exists():
        _check_settings(folder / CONFIG)
    members = [_member(path) for path in paths]
    outputs = {member.outputs for member in members}
    if len(outputs) > 1:
        raise ExportError(f"the members in {folder} have {sorted(outputs)} outputs; an ensemble has one number of them")
    training = read_json(folder / TRAINING) if (folder / TRAINING).exists() else {}
    return Trained(members, training)


def _check_settings(path: Path) -> None:
    """A flag that was given is a line `NAME = true`. The file is not TOML, because its texts have no quotes."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ExportError(f"{path} cannot be read: {error}") from error
    for flag, needed in NEEDED_FLAGS.items():
        if (f"{flag} = true" in lines) != needed:
            found, advice = ("without", "with") if needed else ("with", "without")
            raise ExportError(
                f"{path} tells of a training {found} --{flag}, which the server would not match: train {advice} it"
            )


def _member(path: Path) -> Dmpnn:
    content = pickled.load(path)
    weights, settings = content.get("state_dict"), content.get("hyper_parameters")
    if not isinstance(weights, dict) or not isinstance(settings, dict):
        raise ExportError(f"{path} is not a checkpoint of Chemprop 2: it lacks state_dict or hyper_parameters")
    try:
        return _network(weights, settings)
    except KeyError as error:
        raise ExportError(f"{path} is not a checkpoint of Chemprop 2.1 or newer: it lacks {error}") from error
    except ExportError as error:
        raise ExportError(f"{path} {error}") from error


def _network(weights: dict[str, torch.Tensor], settings: dict) -> Dmpnn:
    if any(key.startswith("message_passing.blocks.") for key in weights):
        raise ExportError("reads several molecules at once (multicomponent); only networks of one can be served")
    shape = _shape(settings)
    for key, value in weights.items():
        if not KNOWN_TENSORS.fullmatch(key):
            raise ExportError(f"has {key}: it reads numbers beside the molecule, and the server has none")
        if not torch.isfinite(value).all():
            raise ExportError(f"holds infinite or undefined values in {key}")
    first, hidden, last = (_linear(weights, f"message_passing.{name}") for name in ("W_i", "W_h", "W_o"))
    atom = last.in_features - hidden.out_features
    _check_widths(atom, first.in_features - atom)
    dense = _dense(weights, last.out_features)
    unscale = Unscale(*(weights[f"predictor.output_transform.{name}"].float() for name in ("scale", "mean")))
    return Dmpnn(shape, first, hidden, last, dense, unscale).eval()


def _shape(settings: dict) -> Shape:
    passing, aggregation, predictor = (settings[name] for name in ("message_passing", "agg", "predictor"))
    _require_class("message passing", passing, {"BondMessagePassing"})
    _require_class("predictor", predictor, {"RegressionFFN"})
    _require_class("aggregation", aggregation, AGGREGATIONS.keys())
    if passing["undirected"]:
        raise ExportError("passes messages along undirected bonds; only directed ones can be exported")
    return Shape(
        depth=passing["depth"],
        activation=activation.of(passing),
        head_activation=activation.of(predictor),
        aggregation=AGGREGATIONS[aggregation["cls"].__name__],
        norm=aggregation.get("norm"),
    )


def _require_class(what: str, settings: dict, known: set[str]) -> None:
    found = getattr(settings["cls"], "__name__", settings["cls"])
    if found not in known:
        raise ExportError(f"has {found} for its {what}; only {', '.join(sorted(known))} can be exported")


def _check_widths(atom: int, bond: int) -> None:
    if (atom, bond) != (ATOM_WIDTH, BOND_WIDTH):
        origin = f", as Chemprop's featurizer {OTHER_FEATURIZERS[atom]} makes" if atom in OTHER_FEATURIZERS else ""
        raise ExportError(
            f"reads {atom} numbers of an atom and {bond} of a bond{origin}; only the {ATOM_WIDTH} and {BOND_WIDTH} of "
            "its default featurizer (v2), without any of your own, can be served"
        )


def _dense(weights: dict[str, torch.Tensor], width: int) -> list[nn.Linear]:
    """The layers of the head, a batch norm before the first made part of it."""
    layers = [_linear(weights, "predictor.ffn.0.0")]
    while f"predictor.ffn.{len(layers)}.2.weight" in weights:
        layers.append(_linear(weights, f"predictor.ffn.{len(layers)}.2"))
    if layers[0].in_features != width:
        beside = layers[0].in_features - width
        raise ExportError(f"reads {beside} descriptors (X_d) beside the molecule, and the server has none")
    if "predictor.output_transform.scale" not in weights:
        raise ExportError(
            "has no predictor.output_transform, so its answers are scaled labels, in no unit: give its predictor the "
            "UnscaleTransform of the labels' scaler, as `chemprop train` does"
        )
    if "bn.weight" in weights:
        layers[0] = _behind_batch_norm(weights, layers[0])
    return layers


def _behind_batch_norm(weights: dict[str, torch.Tensor], layer: nn.Linear) -> nn.Linear:
    """One layer that does what the trained batch norm and then `layer` do; the product is taken in float64."""
    gain = weights["bn.weight"].double() / (weights["bn.running_var"].double() + nn.BatchNorm1d(1).eps).sqrt()
    shift = weights["bn.bias"].double() - weights["bn.running_mean"].double() * gain
    weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
    return _linear({"weight": weight * gain, "bias": bias + weight @ shift})


def _linear(weights: dict[str, torch.Tensor], name: str = "") -> nn.Linear:
    prefix = f"{name}." if name else ""
    weight, bias = weights[f"{prefix}weight"], weights.get(f"{prefix}bias")
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None)
    layer.load_state_dict({"weight": weight} if bias is None else {"weight": weight, "bias": bias})
    return layer
