"""Records from which no variance can be estimated."""

from __future__ import annotations

from tests.farm import Farm


def test_as_many_fixed_effects_as_records(farm: Farm) -> None:
    farm.change("herd + dim + genetic(id)", "herd + genetic(id)")
    farm.write("rec.csv", "id,herd,milk,dim\nc,1,10.5,100\nd,2,11.5,120\n")
    ended = farm.call("estimate", "farm.yaml", "-o", "out.h5")
    assert ended.status == 1
    assert "2 observations of " in ended.err
    assert "fixed effects of rank 2: nothing is left from which variances could be estimated" in ended.err
    assert "RuntimeWarning" not in ended.err
    assert not (farm.folder / "out.h5").exists()
