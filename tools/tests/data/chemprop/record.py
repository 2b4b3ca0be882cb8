"""Makes the checkpoints of this folder with Chemprop itself (tools/chemprop/requirements.txt), weights at random.

    PYTHONPATH=../../../src:../../../chemprop python record.py

`served` are those that can be exported, with Chemprop's answers; `refused` are those that cannot.
"""

import sys
from pathlib import Path

import answer
import torch
from chemprop.models.multi import MulticomponentMPNN
from chemprop.nn.message_passing import MulticomponentMessagePassing
from lightning import pytorch as lightning

from chemmodel_export.files import write_json
from chemprop import featurizers, models, nn

HERE = Path(__file__).parent
WIDTH = 6
SERVED, REFUSED = HERE / "served", HERE / "refused"


def unscale(outputs: int = 1) -> nn.UnscaleTransform:
    return nn.UnscaleTransform([5.0, -200.0][:outputs], [10.0, 90.0][:outputs])


def passing(**changed) -> nn.BondMessagePassing:
    return nn.BondMessagePassing(**{"d_h": WIDTH, **changed})


def head(outputs: int = 1, **changed) -> nn.RegressionFFN:
    return nn.RegressionFFN(
        **{"n_tasks": outputs, "input_dim": WIDTH, "hidden_dim": 5, "output_transform": unscale(outputs), **changed}
    )


def network(messages: nn.MessagePassing, aggregation: nn.Aggregation, predictor: nn.Predictor, **more) -> models.MPNN:
    model = models.MPNN(messages, aggregation, predictor, **more)
    if "batch_norm" in more:  # as if it had been trained
        model.bn.running_mean.normal_(0.1, 0.1)
        model.bn.running_var.uniform_(0.01, 0.02)
        torch.nn.init.normal_(model.bn.weight, 1.0, 0.2)
        torch.nn.init.normal_(model.bn.bias, 0.0, 0.2)
    return model.eval()


def served() -> dict[str, list[models.MPNN]]:
    relu = torch.nn.ReLU()  # `chemprop train` gives modules
    ensemble = [
        network(passing(activation=relu), nn.MeanAggregation(), head(2, activation=relu), batch_norm=True)
        for _ in range(2)
    ]
    norm = network(
        passing(bias=True, depth=2, activation=torch.nn.LeakyReLU(0.2), dropout=0.1),
        nn.NormAggregation(norm=20.0),
        head(hidden_dim=[5, 4], n_layers=2, activation="leakyrelu"),
        metrics=[nn.metrics.MAE()],
    )
    total = network(passing(depth=5, activation="tanh"), nn.SumAggregation(), head(activation=torch.nn.ELU(0.5)))
    return {"mean": ensemble, "norm": [norm], "sum": [total]}


def refused() -> dict[str, models.MPNN]:
    v1 = featurizers.MultiHotAtomFeaturizer.v1()
    mean = nn.MeanAggregation()
    transform = nn.ScaleTransform([0.0] * 2, [1.0] * 2)
    blocks = MulticomponentMessagePassing([passing(), passing()], n_components=2)
    undefined = network(passing(), mean, head())
    torch.nn.init.constant_(undefined.message_passing.W_h.weight, torch.nan)
    return {
        "v1-featurizer": network(passing(d_v=len(v1)), mean, head()),
        "rigr-featurizer": network(passing(d_v=52, d_e=2), mean, head()),
        "extra-bond-features": network(passing(d_e=17), mean, head()),
        "multicomponent": MulticomponentMPNN(blocks, mean, head(input_dim=2 * WIDTH)),
        "no-scaler": network(passing(), mean, head(output_transform=None)),
        "descriptors": network(passing(), mean, head(input_dim=WIDTH + 2)),
        "scaled-descriptors": network(passing(), mean, head(input_dim=WIDTH + 2), X_d_transform=transform),
        "atom-descriptors": network(passing(d_vd=3), mean, head(input_dim=WIDTH + 3)),
        "atom-messages": network(nn.AtomMessagePassing(d_h=WIDTH), mean, head()),
        "undirected": network(passing(undirected=True), mean, head()),
        "attention": network(passing(), nn.AttentiveAggregation(output_size=WIDTH), head()),
        "variance": network(passing(), mean, nn.MveFFN(input_dim=WIDTH, hidden_dim=5, output_transform=unscale())),
        "classifier": network(passing(), mean, nn.BinaryClassificationFFN(input_dim=WIDTH, hidden_dim=5)),
        "prelu": network(passing(activation="prelu"), mean, head()),
        "module-activation": network(passing(), mean, head(activation=torch.nn.PReLU())),
        "undefined-weights": undefined,
    }


def main() -> int:
    torch.set_num_threads(1)
    lightning.seed_everything(20261123)
    for name, members in served().items():
        for number, member in enumerate(members):
            save(SERVED / name / f"model_{number}", member)
        write_json(SERVED / name / "answers.json", answer.answers(members, []))
    for name, member in refused().items():
        save(REFUSED / name / "model_0", member)
    return 0


def save(folder: Path, model: models.MPNN) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    models.save_model(folder / "best.pt", model)


if __name__ == "__main__":
    sys.exit(main())
