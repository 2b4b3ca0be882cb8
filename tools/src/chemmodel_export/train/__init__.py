"""Trains the example model: normal boiling points from SMILES.

data     which molecules, which of them are held out
tokens   the SMILES tokenizer and its vocabulary
spelling other ways to write the same molecule (augmentation)
recipe   the numbers that tell v1 from v2
loop     the training itself
measure  how good the result is
score    what good means, and how good simple baselines are
"""
