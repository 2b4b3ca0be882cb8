"""Writes and checks ChemModel bundles; `chemmodel_export.train` trains the example model.

Nothing outside `train/` knows boiling points or the `chemicals` data, and nothing here opens a network connection.
"""

__version__ = "0.1.0"
