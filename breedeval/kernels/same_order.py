"""Texts found again in another list that has them in the same order."""

from __future__ import annotations

from breedeval.kernels.compile import compiled


@compiled
def follow_texts(buffer, offsets, other_buffer, other_offsets, place_out):
    """Find the others among the texts, walking through both once.

    ``place_out`` (others,) gets the place of each other text, up to the first one that does not come later than the one before
    it. Returns how many were found.
    """
    n_others = other_offsets.shape[0] - 1
    k = 0
    for i in range(offsets.shape[0] - 1):
        if k == n_others:
            break
        start, other_start = offsets[i], other_offsets[k]
        length = offsets[i + 1] - start
        if other_offsets[k + 1] - other_start != length:
            continue
        byte = 0
        while byte < length and buffer[start + byte] == other_buffer[other_start + byte]:
            byte += 1
        if byte == length:
            place_out[k] = i
            k += 1
    return k
