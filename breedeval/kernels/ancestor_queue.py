"""A heap of animals by how much of a population each explains, with a rule for equal ones that no order of rows changes.

The rule is a tuple of arrays: level (n,) generations of known ancestors, code (n,) uint64 from `place_codes`, animal (n,) place
of the name, letters and starts of the names. Of equal animals the one of the lower level comes first, then the lower code.
Animals equal in both stand in the same place of the pedigree but for their names, and the first by name is taken.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled

#: Different starts for what comes from parents, from progeny and from an unknown parent.
_FROM_PARENT = np.uint64(0x9E3779B97F4A7C15)
_FROM_PROGENY = np.uint64(0xC2B2AE3D27D4EB4F)
_UNKNOWN = np.uint64(0x165667B19E3779F9)
_ROUNDS = 2
#: Bits of the code, and levels, that an entry of the heap carries along.
_CODE_BITS, _HIGHEST_LEVEL = 48, 2**16 - 1


@compiled
def _mixed(value):
    """Every bit of the result depends on every bit of ``value`` (uint64): the finish of SplitMix64 (Steele and others 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled
def place_codes(sire, dam, above, below, code_out):
    """Number the place of each animal in the pedigree, by all its ancestors and descendants, whatever rows and names are.

    code_out (n,) uint64 comes with what tells animals apart to begin with; above and below (n,) are work space. Sums over
    parents and over progeny do not depend on their order, nor on which parent is the sire. Two animals have different codes
    unless no exchange of the two would be noticed a few steps around them (Weisfeiler and Leman's colours, here along whole
    lines of descent at once), or by a chance of 2⁻⁶⁴.
    """
    n = sire.shape[0]
    for _ in range(_ROUNDS):
        for i in range(n):
            total = code_out[i]
            for p in (sire[i], dam[i]):
                total += _mixed(above[p] ^ _FROM_PARENT) if 0 <= p < n else _UNKNOWN
            above[i] = _mixed(total)
            below[i] = code_out[i]
        for i in range(n - 1, -1, -1):
            below[i] = _mixed(below[i])
            passed = _mixed(below[i] ^ _FROM_PROGENY)
            for p in (sire[i], dam[i]):
                if 0 <= p < n:
                    below[p] += passed
        for i in range(n):
            code_out[i] = _mixed(above[i] + (below[i] << np.uint64(1)))


@compiled
def _name_before(i, j, letters, starts):
    """Whether name i comes before name j, letter by letter."""
    size, other = starts[i + 1] - starts[i], starts[j + 1] - starts[j]
    for k in range(min(size, other)):
        a, b = letters[starts[i] + k], letters[starts[j] + k]
        if a != b:
            return a < b
    return size < other


@compiled
def _before(a, b, key, tie, row, rule):
    """Whether the entry in place a of the heap comes before the one in place b."""
    if key[a] != key[b]:
        return key[a] > key[b]
    if tie[a] != tie[b]:
        return tie[a] < tie[b]
    level, code, animal, letters, starts = rule
    i, j = row[a], row[b]
    if level[i] != level[j]:
        return level[i] < level[j]
    if code[i] != code[j]:
        return code[i] < code[j]
    return _name_before(animal[i], animal[j], letters, starts)


@compiled
def sink(place, size, key_out, tie_out, row_out, rule):
    """Let the entry in ``place`` of a heap sink until no entry below comes before it."""
    while True:
        largest = place
        for below in (2 * place + 1, 2 * place + 2):
            if below < size and _before(below, largest, key_out, tie_out, row_out, rule):
                largest = below
        if largest == place:
            return
        key_out[place], key_out[largest] = key_out[largest], key_out[place]
        tie_out[place], tie_out[largest] = tie_out[largest], tie_out[place]
        row_out[place], row_out[largest] = row_out[largest], row_out[place]
        place = largest


@compiled
def drop_first(size, key_out, tie_out, row_out, rule):
    """Take the first entry out of a heap; returns the size without it."""
    size -= 1
    key_out[0], tie_out[0], row_out[0] = key_out[size], tie_out[size], row_out[size]
    sink(0, size, key_out, tie_out, row_out, rule)
    return size


@compiled
def queue_larger(limit, grid, contribution, share, taken, key_out, tie_out, row_out, rule):
    """Make a heap of the animals not taken that explain more than ``limit`` grid steps; returns its size.

    An animal explains its contribution without the share of it that those taken explain. tie_out holds the level and the first
    bits of the code, so that equal animals can mostly be told apart without looking them up.
    """
    level, code = rule[0], rule[1]
    size = 0
    for i in range(contribution.shape[0]):
        steps = np.rint(contribution[i] * (1.0 - share[i]) / grid)
        if not taken[i] and steps > limit:
            highest = np.uint64(min(level[i], _HIGHEST_LEVEL))
            tie_out[size] = (highest << np.uint64(_CODE_BITS)) | (code[i] >> np.uint64(64 - _CODE_BITS))
            key_out[size], row_out[size] = steps, i
            size += 1
    for place in range(size // 2 - 1, -1, -1):
        sink(place, size, key_out, tie_out, row_out, rule)
    return size
