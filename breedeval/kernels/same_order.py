"""Texts found again in another list that has them in the same order, and what is taken from there."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled

#: Texts that are compared at once.
_TOGETHER = 8


@compiled
def _equal_bytes(buffer, start, other_buffer, other_start, length):
    """True if ``length`` bytes are equal; without an early end, which lets them be compared many at a time."""
    here, there = buffer[start : start + length], other_buffer[other_start : other_start + length]
    difference = np.uint8(0)
    for byte in range(length):
        difference |= here[byte] ^ there[byte]
    return difference == 0


@compiled
def follow_texts(buffer, offsets, other_buffer, other_offsets, place_out):
    """Find the others among the texts, walking through both once.

    ``place_out`` (others,) gets the place of each other text, up to the first one that does not come later than the one before
    it. Returns how many were found.
    """
    n, n_others = offsets.shape[0] - 1, other_offsets.shape[0] - 1
    i, k = 0, 0
    while i < n and k < n_others:
        if i + _TOGETHER <= n and k + _TOGETHER <= n_others:
            shift, same = offsets[i] - other_offsets[k], True
            for text in range(1, _TOGETHER + 1):
                same &= offsets[i + text] - other_offsets[k + text] == shift
            length = offsets[i + _TOGETHER] - offsets[i]
            if same and _equal_bytes(buffer, offsets[i], other_buffer, other_offsets[k], length):
                for text in range(_TOGETHER):
                    place_out[k + text] = i + text
                i, k = i + _TOGETHER, k + _TOGETHER
                continue
        for _ in range(_TOGETHER):
            if i == n or k == n_others:
                break
            start, other_start = offsets[i], other_offsets[k]
            length = offsets[i + 1] - start
            if other_offsets[k + 1] - other_start == length:
                byte = 0
                while byte < length and buffer[start + byte] == other_buffer[other_start + byte]:
                    byte += 1
                if byte == length:
                    place_out[k] = i
                    k += 1
            i += 1
    return k


@compiled
def follow_values(buffer, offsets, other_buffer, other_offsets, values, place_out, values_out):
    """As `follow_texts`, with a value for each other text: it goes to the text's place in values_out, NaN to all other places.

    ``place_out`` is not written if it is empty. What is in values_out is of no use unless all were found.
    """
    n, n_others = offsets.shape[0] - 1, other_offsets.shape[0] - 1
    places = place_out.shape[0] > 0
    i, k = 0, 0
    while i < n and k < n_others:
        if i + _TOGETHER <= n and k + _TOGETHER <= n_others:
            shift, same = offsets[i] - other_offsets[k], True
            for text in range(1, _TOGETHER + 1):
                same &= offsets[i + text] - other_offsets[k + text] == shift
            length = offsets[i + _TOGETHER] - offsets[i]
            if same and _equal_bytes(buffer, offsets[i], other_buffer, other_offsets[k], length):
                for text in range(_TOGETHER):
                    values_out[i + text] = values[k + text]
                if places:
                    for text in range(_TOGETHER):
                        place_out[k + text] = i + text
                i, k = i + _TOGETHER, k + _TOGETHER
                continue
        for _ in range(_TOGETHER):
            if i == n or k == n_others:
                break
            start, other_start = offsets[i], other_offsets[k]
            length = offsets[i + 1] - start
            found = other_offsets[k + 1] - other_start == length
            if found:
                byte = 0
                while byte < length and buffer[start + byte] == other_buffer[other_start + byte]:
                    byte += 1
                found = byte == length
            values_out[i] = np.nan
            if found:
                values_out[i] = values[k]
                if places:
                    place_out[k] = i
                k += 1
            i += 1
    values_out[i:] = np.nan
    return k


@compiled
def put_values(places, values, values_out):
    """Put a value at each place; returns True if places do not rise, so that one might be met twice."""
    before, falls = np.int32(-1), False
    for k in range(places.shape[0]):
        values_out[places[k]] = values[k]
        falls |= places[k] <= before
        before = places[k]
    return falls


@compiled
def mark_changed(parent, stored_parent, rows, changed_out):
    """Mark animals whose parent is not the stored one; returns how many of ``rows`` have another.

    ``stored_parent`` (k,) is a place in ``rows``, −1 unknown; anything below has no row and differs from every parent.
    """
    n, n_changed = parent.shape[0], 0
    for k in range(rows.shape[0]):
        now, stored = parent[rows[k]], stored_parent[k]
        if (now if 0 <= now < n else -1) != (rows[stored] if stored >= 0 else stored):
            changed_out[rows[k]] = True
            n_changed += 1
    return n_changed


@compiled
def mark_descendants(sire, dam, marked_out):
    """Mark the descendants of the animals marked; parents stand before progeny."""
    n = sire.shape[0]
    for i in range(n):
        s, d = sire[i], dam[i]
        if (0 <= s < n and marked_out[s]) or (0 <= d < n and marked_out[d]):
            marked_out[i] = True
