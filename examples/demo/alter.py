"""Makes a bad version for the demo: a bundle that is whole, loads, and answers wrongly.

Copies a bundle's folder, flips the sign of every weight in the largest float tensor of its network, and pins the altered
file in the manifest: nothing but its answers gives it away. Standard library only, so the one thing of ONNX that is read
here is where the weights lie.
"""

import hashlib
import json
import pathlib
import shutil
import sys
from collections.abc import Iterator

# Field numbers of onnx.proto.
MODEL_GRAPH, GRAPH_INITIALIZER, TENSOR_TYPE, TENSOR_RAW = 7, 5, 2, 9
FLOAT = 1

Span = tuple[int, int]


def fields(data: bytes, span: Span) -> Iterator[tuple[int, int | Span]]:
    """Fields of a protobuf message: the number, and the value of a varint or where the bytes of anything else lie."""
    at, end = span

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte, at = data[at], at + 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < end:
        number, kind = divmod(varint(), 8)
        if kind == 0:
            yield number, varint()
            continue
        size = varint() if kind == 2 else {1: 8, 5: 4}[kind]
        yield number, (at, at + size)
        at += size


def weights(network: bytes) -> list[Span]:
    """Where the float tensors of a network lie."""
    spans = []
    for number, graph in fields(network, (0, len(network))):
        if number != MODEL_GRAPH:
            continue
        for number, tensor in fields(network, graph):
            if number == GRAPH_INITIALIZER:
                parts = dict(fields(network, tensor))
                if parts.get(TENSOR_TYPE) == FLOAT and TENSOR_RAW in parts:
                    spans.append(parts[TENSOR_RAW])
    return spans


def main() -> None:
    source, target = map(pathlib.Path, sys.argv[1:])
    shutil.copytree(source, target)
    manifest = json.loads((target / "chemmodel.json").read_text())
    name = manifest["members"][0]

    network = bytearray((target / name).read_bytes())
    start, end = max(weights(network), key=lambda span: span[1] - span[0])
    # Little-endian floats: the sign is the highest bit of every fourth byte.
    network[start + 3 : end : 4] = bytes(byte ^ 0x80 for byte in network[start + 3 : end : 4])

    (target / name).write_bytes(network)
    manifest["files"][name]["sha256"] = hashlib.sha256(network).hexdigest()
    (target / "chemmodel.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    print(f"{source} -> {target}: the signs of {(end - start) // 4} of its weights are flipped")


if __name__ == "__main__":
    main()
