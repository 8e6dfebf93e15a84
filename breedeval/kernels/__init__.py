"""Compiled loops: arrays and numbers in, arrays out. They import numpy, numba and each other only."""
