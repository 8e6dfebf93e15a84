"""Codes of texts, against a dict."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from breedeval.kernels import text
from breedeval.names import Names

TEXTS = st.lists(st.text(alphabet="0aÄ", max_size=4), max_size=200)


def _hashes(names: Names) -> np.ndarray:
    out = np.empty(len(names), dtype=np.uint64)
    text.hash_texts(names.buffer, names.offsets[:-1], names.lengths, out)
    return out


@given(TEXTS, st.sampled_from([1, 2, 8]))
def test_encode_gives_codes_in_order_of_first_appearance(texts, n_regions):
    names = Names.of(texts)
    starts, lengths = names.offsets[:-1], names.lengths
    known = np.empty(len(names.buffer), dtype=np.uint8)
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    codes, places = np.empty(len(texts), dtype=np.int32), np.empty(len(texts), dtype=np.uint32)
    # Regions of 256 slots: even if all texts fall into one, it is not full.
    slots = np.zeros(256 * n_regions, dtype=np.uint64)
    hashes = _hashes(names)
    for region in reversed(range(n_regions)):  # as threads do: in any order
        owned = (256, region, region + 1)
        text.encode_texts(names.buffer, starts, lengths, hashes, slots, *owned, known, offsets, 0, codes, places)
    n = text.settle_codes(names.buffer, starts, lengths, slots, places, known, offsets, 0, codes)
    twin = {}
    assert codes.tolist() == [twin.setdefault(item, len(twin)) for item in texts]
    assert n == len(twin)
    assert known[: offsets[n]].tobytes().decode() == "".join(twin)
    found = np.empty(len(texts), dtype=np.int32)
    text.find_texts(names.buffer, starts, lengths, hashes, slots, 256, known, offsets[: n + 1], found)
    assert found.tolist() == codes.tolist()


def test_a_crowded_table_of_equal_tags_is_probed_to_the_end():
    # All hashes are the same, so that every lookup walks over all texts before its own.
    names = Names.of([str(i) for i in range(40)])
    starts, lengths = names.offsets[:-1], names.lengths
    hashes = np.full(40, 7, dtype=np.uint64)
    slots = np.zeros(128, dtype=np.uint64)
    text.fill_slots(hashes, slots, 128, 0, 1)
    codes = np.empty(40, dtype=np.int32)
    text.find_texts(names.buffer, starts, lengths, hashes, slots, 128, names.buffer, names.offsets, codes)
    assert codes.tolist() == list(range(40))


def test_an_empty_text_at_the_end_of_the_buffer_is_found():
    names = Names.of(["a", ""])
    assert names.find(Names.of(["", "a", "b"])).tolist() == [1, 0, -1]


def test_hashes_of_near_texts_differ():
    names = Names.of([f"NL{i:08d}" for i in range(20_000)])
    hashes = _hashes(names)
    assert len(np.unique(hashes)) == 20_000
    # The low bits choose the slot: about 1 - 1/e of the slots are hit by good hashes.
    assert len(np.unique(hashes & np.uint64(0x3FFF))) > 0.6 * 0x4000
