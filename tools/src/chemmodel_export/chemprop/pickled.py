"""Files of `torch.save` read without running code in them and without the packages that they name."""

import pickle
from pathlib import Path

import torch
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from chemmodel_export.errors import ExportError


class Inert:
    """Stands for an object whose class is not imported: keeps what it was made from, and does nothing."""

    made_from: tuple = ()
    state: object = None

    def __init__(self, *made_from: object):
        self.made_from = made_from

    def __setstate__(self, state: object) -> None:
        self.state = state


def load(path: Path) -> dict:
    """The content of `path`; a class that PyTorch does not trust becomes a subclass of `Inert` with the same name."""
    try:
        stand_ins = [(_stand_in(name), name) for name in get_unsafe_globals_in_checkpoint(path)]
        with safe_globals(stand_ins):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, TypeError, pickle.UnpicklingError) as error:
        raise ExportError(f"{path} cannot be read as a checkpoint: {error}") from error
    if not isinstance(content, dict):
        raise ExportError(f"{path} is not a checkpoint: expected a dictionary")
    return content


def _stand_in(name: str) -> type:
    short = name.rsplit(".", 1)[-1]
    # Lightning's hyperparameters: PyTorch fills no other kind of dictionary.
    return dict if short == "AttributeDict" else type(short, (Inert,), {})
