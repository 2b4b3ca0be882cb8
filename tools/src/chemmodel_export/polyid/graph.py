"""PolyID's network to one ONNX file: number of atoms, of directed bonds and of graphs dynamic."""

from pathlib import Path

import torch

from chemmodel_export import onnx_file, packed
from chemmodel_export.polyid.features import Vocabulary
from chemmodel_export.polyid.network import Global100

EXAMPLE = ["CCO", "CC(=O)OC"]


def export(network: Global100, path: Path) -> None:
    """Writes `path`: fp32, weights inside, the scaling of the labels undone."""
    graphs = [Vocabulary({}, {}).graph(smiles) for smiles in EXAMPLE]
    inputs = {name: torch.from_numpy(value) for name, value in packed.pack(graphs).items()}
    atoms, bonds, batch = (torch.export.Dim(name) for name in ("atoms", "bonds", "graphs"))
    shapes = {
        "atom": {0: atoms},
        "bond": {0: bonds},
        "connectivity": {0: bonds},
        "graph": {0: atoms},
        "size": {0: batch},
    }
    onnx_file.write(path, network, inputs, packed.OUTPUT, shapes)
