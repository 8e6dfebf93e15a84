"""Checkpoints know the equations that they belong to."""

from __future__ import annotations

import numpy as np

from breedeval.equations.mme import MixedModelEquations
from breedeval.results.checkpoint import fingerprint
from tests.factories import make_pedigree
from tests.random_models import random_frame
from tests.small_models import make_model

ROWS = [("a", None, None), ("b", None, None), ("c", None, None), ("d", None, None), ("e", "a", "b"), ("f", "c", "d")]
#: The parents of e and f exchanged: every animal has as many progeny as before, and A⁻¹ the same diagonal.
EXCHANGED = [*ROWS[:4], ("e", "c", "b"), ("f", "a", "d")]


def equations(rows: list[tuple[str, str | None, str | None]]) -> MixedModelEquations:
    frame = random_frame(np.random.default_rng(1), ROWS, 12, ["y"], missing=0.0)
    pedigree = make_pedigree(rows)
    return make_model(frame, {"y": "herd + genetic(id)"}, {"genetic": 1.0, "residual": 2.0}, pedigree, ["herd"], []).equations


def test_another_relationship_with_the_same_diagonal_is_noticed():
    first, second, again = equations(ROWS), equations(EXCHANGED), equations(ROWS)
    np.testing.assert_array_equal(first.diagonal(), second.diagonal())
    np.testing.assert_array_equal(first.right_hand_side, second.right_hand_side)
    marks = [fingerprint(e, e.right_hand_side, "block") for e in (first, second, again)]
    assert marks[0] != marks[1]
    assert marks[0] == marks[2]
    assert fingerprint(first, first.right_hand_side, "diagonal") != marks[0]
    assert fingerprint(first, 2 * first.right_hand_side, "block") != marks[0]
