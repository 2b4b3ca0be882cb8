"""PolyID's network to one ONNX file: the numbers of classes, of sums and of graphs dynamic."""

from pathlib import Path

import torch

from chemmodel_export import onnx_file, packed
from chemmodel_export.polyid.features import Vocabulary
from chemmodel_export.polyid.network import Global100
from chemmodel_export.polyid.refined import inputs, refine

EXAMPLE = ["CCO", "CC(=O)OC"]  # two, because a size of 1 would be taken for a constant


def export(network: Global100, path: Path) -> None:
    """Writes `path`: fp32, weights inside, the scaling of the labels undone."""
    graphs = [refine(Vocabulary({}, {}).graph(smiles), network.messages) for smiles in EXAMPLE]
    example = {name: torch.from_numpy(value) for name, value in packed.pack(graphs).items()}
    named = inputs(network.messages)
    sizes = {rows: torch.export.Dim(rows) for rows, _ in named.values()}
    shapes = {name: {0: sizes[rows]} for name, (rows, _) in named.items()}
    onnx_file.write(path, network, {"given": example}, named, packed.OUTPUT, {"given": shapes})
