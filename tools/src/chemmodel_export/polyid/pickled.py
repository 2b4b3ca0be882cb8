"""Reads pickles as data: numbers, texts, containers and NumPy arrays come back, everything else as an inert record."""

import pickle
from pathlib import Path

from chemmodel_export.errors import ExportError

# What NumPy arrays are made of, by the names of NumPy 1 and of NumPy 2.
ARRAYS = {
    (f"{core}.multiarray", name): name for core in ("numpy.core", "numpy._core") for name in ("_reconstruct", "scalar")
} | {("numpy", name): name for name in ("ndarray", "dtype")}


class Record:
    """Stands for an object of a class that is not loaded. Its state is kept; none of its code exists here."""

    def __new__(cls, *_arguments, **_named):
        return super().__new__(cls)

    def __init__(self, *_arguments, **_named):
        pass

    def __setstate__(self, state):
        if isinstance(state, dict):
            self.__dict__.update(state)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) in ARRAYS:
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        return type(name, (Record,), {"__module__": module})


def read(path: Path) -> dict:
    """The dictionary in `path`. Nothing that the pickle names is imported or called, NumPy's arrays excepted."""
    try:
        with path.open("rb") as file:
            content = _Unpickler(file).load()
    except FileNotFoundError as error:
        raise ExportError(f"{path} is missing") from error
    except Exception as error:  # a damaged pickle can raise anything
        raise ExportError(f"{path} cannot be read as a pickle: {error}") from error
    if not isinstance(content, dict):
        raise ExportError(f"{path} must hold a dictionary, found {type(content).__name__}")
    return content
