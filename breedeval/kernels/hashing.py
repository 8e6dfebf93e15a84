"""Hashes of texts, eight bytes a step: multiply and fold, then the final mix of MurmurHash3 (Appleby)."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled

SEED = np.uint64(0x9E3779B97F4A7C15)
_FACTOR = np.uint64(0xD6E8FEB86659FD93)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_HALF, _SHIFT = np.uint64(32), np.uint64(33)


@compiled
def fold(h, word):
    """Take a word into a hash."""
    h = (h ^ word) * _FACTOR
    return h ^ (h >> _HALF)


@compiled
def finish(h):
    """Mix the bits of a hash that has taken all words."""
    h *= _MIX
    return h ^ (h >> _SHIFT)
