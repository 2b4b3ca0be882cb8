"""PolyID ensembles: the folders that PolyID writes, its features, its network anew in PyTorch, the bundle.

TensorFlow is not needed: what it answers comes as a file.
"""
