"""Variants of a bundle's networks in other numbers: int8 for processors, fp16 for GPUs.

```
model.onnx --fuse--> fewer nodes --int8--> model.int8.onnx --+
    |                                                        +--verify, by golden.json--> a new bundle, or nothing
    +----------------------------fp16--> model.fp16.onnx ----+
```
The fp32 network stays the source of truth; a variant is made from it alone, without the checkpoint. Only `variant`
reads and writes files.
"""
