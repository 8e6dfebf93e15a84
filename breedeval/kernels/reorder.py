"""Rows of a table put into another order.

To fetch each row from where it stands, or to write it to where it shall stand, goes to another page of memory for each row. So
rows go first to the bucket of those that will stand near each other, as records behind each other, and then from there to their
places, which fit into the caches of the processor.

A record is the id (all have the same number of bytes, or none is here), place and sire, 4 bytes each, birth year (4), sex (1).
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled
from breedeval.kernels.text import copy_bytes
from breedeval.kernels.words import load_byte, load_word, store_byte, store_word

#: Bytes of a record beside the id.
BESIDE_ID = 13
_LOW = np.uint64(0xFFFFFFFF)
_EIGHT, _HALF, _YEAR, _SEX = np.uint64(8), np.uint64(32), np.uint64(24), np.uint64(56)
#: Where the second word of a record begins, behind that of the place.
_SECOND = np.uint64(5)


@compiled
def count_places(place, shift, counts_out):
    """Count the places (k,) int32, −1 for none, by buckets of 2**shift places; counts_out (buckets,) int64."""
    for i in range(place.shape[0]):
        if place[i] >= 0:
            counts_out[place[i] >> shift] += 1


@compiled
def deal_rows(place, first, end, first_bucket, end_bucket, shift, sire, year, sex, ids, id_bytes, next_free_out, records_out):
    """Write the records of the rows first to end − 1 to their buckets, for the buckets first_bucket to end_bucket − 1.

    place (n,) int32: new place of each row, −1 none, 2**shift places a bucket; sire (n,) and year (n,) int32; sex (n,) int8;
    ids (n id_bytes,) uint8. next_free_out (buckets,) int64: where the next record of each bucket goes; it moves. records_out
    (r, b) uint8, b at least id_bytes and `BESIDE_ID` more.
    """
    low, high = first_bucket << shift, end_bucket << shift
    ids_base, base = np.uint64(ids.ctypes.data), np.uint64(records_out.ctypes.data)
    ids_end, step = ids_base + np.uint64(ids.shape[0]), np.uint64(records_out.shape[1])
    records_end, width = base + np.uint64(records_out.shape[0]) * step, np.uint64(id_bytes)
    for i in range(first, end):
        p = place[i]
        if low <= p < high:
            bucket = p >> shift
            target = base + np.uint64(next_free_out[bucket]) * step
            next_free_out[bucket] += 1
            copy_bytes(ids_base + np.uint64(i) * width, ids_end, target, records_end, id_bytes)
            parent, born = np.uint64(np.uint32(sire[i])), np.uint64(np.uint32(year[i]))
            store_word(target + width, np.uint64(p) | (parent << _HALF))
            second = (parent >> _EIGHT) | (born << _YEAR) | (np.uint64(np.uint8(sex[i])) << _SEX)
            store_word(target + width + _SECOND, second)


@compiled
def _copy_exactly(source, target, length):
    """Copy bytes and write none behind them."""
    if length < _EIGHT:
        for j in range(length):
            store_byte(target + np.uint64(j), load_byte(source + np.uint64(j)))
        return
    at = np.uint64(0)
    while at + _EIGHT < length:
        store_word(target + at, load_word(source + at))
        at += _EIGHT
    store_word(target + length - _EIGHT, load_word(source + length - _EIGHT))


@compiled
def settle_rows(records, first, end, id_bytes, sire_out, year_out, sex_out, ids_out):
    """Bring the records first to end − 1 to their places, see `deal_rows`."""
    base, ids_base = np.uint64(records.ctypes.data), np.uint64(ids_out.ctypes.data)
    step, width = np.uint64(records.shape[1]), np.uint64(id_bytes)
    for k in range(first, end):
        source = base + np.uint64(k) * step
        word, second = load_word(source + width), load_word(source + width + _SECOND)
        p = word & _LOW
        sire_out[p] = np.int32(np.uint32(word >> _HALF))
        year_out[p] = np.int32(np.uint32((second >> _YEAR) & _LOW))
        sex_out[p] = np.int8(second >> _SEX)
        _copy_exactly(source, ids_base + p * width, width)


@compiled
def rename_parents(place, parent_out):
    """Put the new place of each parent (k,) int32 instead of its row; −1 stays.

    In the new order parents of animals near each other are near each other too, so that this is faster than before.
    """
    for k in range(parent_out.shape[0]):
        if parent_out[k] >= 0:
            parent_out[k] = place[np.uint32(parent_out[k])]
