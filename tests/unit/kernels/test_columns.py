"""Groups of columns."""

from __future__ import annotations

import pytest

from breedeval.kernels.columns import WIDTHS, WIDTHS_OF_SEVERAL, column_groups


@pytest.mark.parametrize("numbers", [1, 3, 6, 100])
@pytest.mark.parametrize("n_columns", range(1, 40))
def test_groups_hold_each_column_once_and_are_never_half_empty(n_columns: int, numbers: int) -> None:
    groups = column_groups(n_columns, numbers)
    compiled = {1: WIDTHS, 100: (1,)}.get(numbers, WIDTHS_OF_SEVERAL)
    assert [column for group in groups for column in range(group.first, group.first + group.n)] == list(range(n_columns))
    for group in groups:
        assert group.width in compiled
        assert group.n <= group.width
        assert 2 * group.n > group.width or group.width == compiled[0]
