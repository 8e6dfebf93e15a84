"""Which relationships have to be computed for coefficients of inbreeding, and among which animals.

F is half the relationship of the parents. A pair of parents is looked up in the row of A of one of them, the *row animal*;
the other is the *mate*. What a row needs:

* the **core**: row animals and all their ancestors. Relationships are computed here, up and down the pedigree;
* **mates** outside the core: none of their progeny is an ancestor of a row animal, so that a(row, mate) is the mean of the
  relationships with the mate's parents. At most one of these two is kept outside the core: a mate is the end of a chain,
  along each link of which one parent (as a rule the sire) is read from the core and the other leads on.

In livestock the core is small (sires, their dams and the maternal lines of those), whatever the number of cows.

Places: 0 stands for an unknown parent, 1 to ``n_core`` for the core, larger ones for mates; parents stand before progeny in
both. Groups and metafounders with relationships of their own would take places at the front, next to 0.
"""

from __future__ import annotations

import numpy as np
from numba.cpython.unsafe.numbers import leading_zeros, trailing_zeros

from breedeval.kernels.compile import compiled
from breedeval.kernels.inbreeding import follows_at_once

#: What is noted of an animal; bits, since several can hold.
PAIR, AT_ONCE, CORE, MATE = np.int8(1), np.int8(2), np.int8(4), np.int8(8)
#: The bits of those needed, of eight animals at a time; 2 to this power are eight.
_NEEDED_IN_WORD, _LOG_BITS = np.uint64(0x0C0C0C0C0C0C0C0C), np.uint64(3)
#: Links of a chain that are stored together, so that memory is read once for all of them.
LINKS = 4
#: A row costs far more than a pair: the dam gets the row only if she has several times the progeny of the sire.
DAM_FACTOR = 4
#: F that are looked through at once.
_TOGETHER = 512
# Known F may have been rounded.
_ROUNDED = 1e-6


@compiled
def _n_possible(known):
    """Number of F from 0 to 1; NaN is not."""
    count = 0
    for k in range(known.shape[0]):
        count += (known[k] >= -_ROUNDED) & (known[k] <= 1.0 + _ROUNDED)
    return count


@compiled
def list_unknown(known, unknown_out):
    """List the rows whose F is NaN; returns how many, and the number of F that cannot be (below 0 or above 1).

    unknown_out (most,) need not hold them all; what follows the rows listed is of no use.
    """
    n_unknown, n_impossible, last = 0, 0, unknown_out.shape[0] - 1
    for first in range(0, known.shape[0], _TOGETHER):
        some = known[first : first + _TOGETHER]
        n_others = some.shape[0] - _n_possible(some)
        if n_others == 0:
            continue
        before = n_unknown
        for k in range(some.shape[0]):
            if n_unknown <= last:
                unknown_out[n_unknown] = first + k  # overwritten by the next one if this one is known
            n_unknown += np.isnan(some[k])
        n_impossible += n_others - (n_unknown - before)
    return n_unknown, n_impossible


@compiled
def classify(sire, dam, wanted, n_wanted, inbreeding_out, note_out, n_progeny_out):
    """Note for each animal wanted how its F is found, and count the progeny of each parent whose F has to be looked up.

    ``wanted`` holds the rows of the ``n_wanted`` animals; if these are all animals, it is not read (here and below). Obvious F
    go to inbreeding_out. Returns the number of animals whose F follows at once.
    """
    n = sire.shape[0]
    n_at_once = 0
    for k in range(n_wanted):
        i = k if n_wanted == n else wanted[k]
        s, d = sire[i], dam[i]
        if not (0 <= s < n and 0 <= d < n):
            inbreeding_out[i] = 0.0
        elif follows_at_once(s, d, sire, dam):
            note_out[i] = AT_ONCE
            n_at_once += 1
        else:
            note_out[i] = PAIR
            n_progeny_out[s] += 1
            n_progeny_out[d] += 1
    return n_at_once


@compiled
def _row_animal(i, sire, dam, n_progeny):
    s, d = sire[i], dam[i]
    return d if n_progeny[d] > DAM_FACTOR * n_progeny[s] else s


@compiled
def choose_rows(sire, dam, wanted, n_wanted, n_progeny, note_out, n_pairs_out):
    """Choose the row animal of each pair and count the pairs of each."""
    for k in range(n_wanted):
        i = k if n_wanted == sire.shape[0] else wanted[k]
        if note_out[i] & PAIR:
            row = _row_animal(i, sire, dam, n_progeny)
            n_pairs_out[row] += 1
            note_out[row] |= CORE
            note_out[sire[i] + dam[i] - row] |= MATE


@compiled
def spread_to_ancestors(sire, dam, n_progeny, note_out, words):
    """Note who belongs to the core or to the chains of mates. Returns the numbers of both.

    ``words`` are the bytes of note_out, eight at a time: animals that are not needed are passed by.
    """
    n = sire.shape[0]
    n_core, n_mates = 0, 0
    for word in range(words.shape[0] - 1, -1, -1):
        w = np.uint64(word)
        left = words[w] & _NEEDED_IN_WORD
        while left:
            byte = np.uint64(7) - (np.uint64(leading_zeros(left)) >> _LOG_BITS)
            i = (w << _LOG_BITS) | byte
            s, d = sire[i], dam[i]
            has_sire, has_dam = 0 <= s < n, 0 <= d < n
            if note_out[i] & CORE:
                n_core += 1
                if has_sire:
                    note_out[s] |= CORE
                if has_dam:
                    note_out[d] |= CORE
            else:
                n_mates += 1
                if has_sire and has_dam and not (note_out[s] | note_out[d]) & CORE:
                    # An old parent without pairs of its own is the rule when few animals are wanted: then the sire.
                    note_out[d if n_progeny[d] > DAM_FACTOR * (n_progeny[s] + 1) else s] |= CORE
                if has_sire and not note_out[s] & CORE:
                    note_out[s] |= MATE
                if has_dam and not note_out[d] & CORE:
                    note_out[d] |= MATE
            left = words[w] & _NEEDED_IN_WORD & ((np.uint64(1) << (byte << _LOG_BITS)) - np.uint64(1))
    return n_core, n_mates


@compiled
def number_places(sire, dam, note, words, n_core, place_out, animal_out, core_sire_out, core_dam_out, chain_out):
    """Give places to the core and to the mates, and tie the chains.

    ``chain_out`` (n_mates, 2 × LINKS): the places in the core to read at the next links, then the places that the chain has
    reached after 1, 2, ... links. A chain that ended in the core (or at 0) stays there: ½ a + ½ a = a.
    """
    n = sire.shape[0]
    core, mate = 0, 0
    for word in range(words.shape[0]):
        w = np.uint64(word)
        left = words[w] & _NEEDED_IN_WORD
        while left:
            byte = np.uint64(trailing_zeros(left)) >> _LOG_BITS
            left &= ~(np.uint64(255) << (byte << _LOG_BITS))
            i = (w << _LOG_BITS) | byte
            s = place_out[sire[i]] if 0 <= sire[i] < n else 0
            d = place_out[dam[i]] if 0 <= dam[i] < n else 0
            if note[i] & CORE:
                core += 1
                place_out[i] = core
                animal_out[core], core_sire_out[core], core_dam_out[core] = i, s, d
                continue
            if s > n_core:
                s, d = d, s
            chain_out[mate, 0], chain_out[mate, LINKS] = s, d
            after = d - n_core - 1
            for k in range(1, LINKS):
                chain_out[mate, k] = chain_out[after, k - 1] if after >= 0 else d
                chain_out[mate, LINKS + k] = chain_out[after, LINKS + k - 1] if after >= 0 else d
            mate += 1
            place_out[i] = n_core + mate


@compiled
def find_stages(sire, dam, n_progeny, note, place, animal, core_sire, core_dam, stage_out, done_out):
    """Stage at whose begin the F of both parents and of all older ancestors is known, for each place of the core.

    Rows of a stage do not depend on each other. A row needs F of its animal's parents and their ancestors; an animal's F comes
    with the row of one of its parents. So there are about half as many stages as generations. Place 0 has stage −1. Returns
    the number of stages.
    """
    stage_out[0], done_out[0] = -1, 0
    last = 0
    for j in range(1, animal.shape[0]):
        i = animal[j]
        stage = max(done_out[core_sire[j]], done_out[core_dam[j]])
        stage_out[j] = done_out[j] = stage
        if note[i] & PAIR:
            done_out[j] = max(stage, stage_out[place[_row_animal(i, sire, dam, n_progeny)]] + 1)
        last = max(last, stage)
    return last + 1


@compiled
def sort_pairs(sire, dam, wanted, n_wanted, n_progeny, note, place, n_core, chain, next_free_out, pairs_out):
    """List the pairs by row: pairs_out (n_pairs, LINKS + 2) holds the chain's places to read, its end, and the progeny.

    ``next_free_out`` (n_core + 1,) holds where the list of each row begins; where it ends when done.
    """
    for e in range(n_wanted):
        i = e if n_wanted == sire.shape[0] else wanted[e]
        if note[i] & PAIR:
            animal = _row_animal(i, sire, dam, n_progeny)
            row, mate = place[animal], place[sire[i] + dam[i] - animal]
            k = next_free_out[row]
            next_free_out[row] = k + 1
            pairs_out[k, LINKS + 1] = i
            for link in range(LINKS):
                pairs_out[k, link] = chain[mate - n_core - 1, link] if mate > n_core else mate
            pairs_out[k, LINKS] = chain[mate - n_core - 1, 2 * LINKS - 1] if mate > n_core else mate
