"""The activation function of a checkpoint: a name, Chemprop's enumeration of the same names, or a module of PyTorch."""

from torch import nn

from chemmodel_export.chemprop.pickled import Inert
from chemmodel_export.errors import ExportError

NAMED = {"relu": nn.ReLU(), "leakyrelu": nn.LeakyReLU(0.1), "tanh": nn.Tanh(), "elu": nn.ELU()}
# Of PyTorch, with the attributes that it is made from.
MODULES = {
    nn.ReLU: (),
    nn.LeakyReLU: ("negative_slope",),
    nn.Tanh: (),
    nn.ELU: ("alpha",),
    nn.SELU: (),
    nn.SiLU: (),
    nn.GELU: ("approximate",),
}


def of(settings: dict) -> nn.Module:
    value = settings["activation"]
    for module, attributes in MODULES.items():
        if isinstance(value, Inert) and type(value).__name__ == module.__name__:
            return module(*(value.state[name] for name in attributes))
    name = str(*value.made_from[:1] if isinstance(value, Inert) else [value]).lower()
    if name not in NAMED:
        known = ", ".join(module.__name__ for module in MODULES)
        raise ExportError(f"has the activation {name or type(value).__name__}; only {known} can be exported")
    return NAMED[name]
