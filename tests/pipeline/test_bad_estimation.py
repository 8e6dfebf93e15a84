"""Records from which no variance can be estimated."""

from __future__ import annotations

import pytest

from tests.farm import Farm


@pytest.mark.parametrize(
    ("records", "n"), [("c,1,10.5,100\n", "1 observation"), ("c,1,10.5,100\nd,2,11.5,120\n", "2 observations")]
)
def test_as_many_fixed_effects_as_records(farm: Farm, records: str, n: str) -> None:
    farm.change("herd + dim + genetic(id)", "herd + genetic(id)")
    farm.write("rec.csv", "id,herd,milk,dim\n" + records)
    ended = farm.call("estimate", "farm.yaml", "-o", "out.h5")
    assert ended.status == 1
    assert f"{n} of " in ended.err
    assert "nothing is left from which variances could be estimated" in ended.err
    assert "RuntimeWarning" not in ended.err
    assert not (farm.folder / "out.h5").exists()
