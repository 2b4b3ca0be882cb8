"""Chemprop 2: checkpoint of its D-MPNN to a bundle of scheme chemprop-v2. Nothing here imports Chemprop or Lightning.

features    SMILES to the arrays of Chemprop's default featurizer
pickled     files of PyTorch, read without running any code in them
activation  which activation function a checkpoint has
checkpoint  what Chemprop saved, as a network
network     that network, over packed graphs
answers     what Chemprop itself predicts
bundle      export, compare, publish
command     what the command line offers
"""
