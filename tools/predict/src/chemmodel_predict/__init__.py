"""Asks a ChemModel for a whole file of molecules. Knows no chemistry: what a molecule is, the server decides."""
