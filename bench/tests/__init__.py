"""Tests of what the numbers mean: `python3 -m unittest discover -s bench/tests -t bench`."""
