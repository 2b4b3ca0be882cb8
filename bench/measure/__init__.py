"""Compares the server with others: same model, same machine, same cores, same requests, in turns in one run."""
