"""(Co)variances from a file serve the effects they were estimated for, and no others that have the same labels."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from tests.farm import Farm

MATRIX = "[[0.3, 0.02], [0.02, 0.1]]"


def model(genetic: str, more: str = "", records: str = "") -> str:
    """The farm with another genetic term and other variances."""
    return f"""\
pedigree: {{file: ped.csv, animal: id, sire: sire, dam: dam, unknown: ["0"]}}
records: {{file: rec.csv, classes: [herd], covariates: [dim, w, x]{records}}}
model: {{milk: "herd + {genetic}"}}
{more}
"""


@pytest.fixture
def curves(farm: Farm) -> Farm:
    """Records over days; any curve can be evaluated, and evaluations hold their variances."""
    rng = np.random.default_rng(2)
    rows = ["id,herd,milk,dim,w,x"]
    rows += [
        f"{rng.choice(list('cde'))},{k % 2},{rng.normal(10):.3f},{days},{1 + k % 3},{days / 100}"
        for k, days in enumerate([5, 305, *rng.integers(5, 305, 30)])
    ]
    farm.write("rec.csv", "\n".join(rows) + "\n")
    return farm


def stored(farm: Farm, genetic: str, value: str = MATRIX, records: str = "") -> None:
    """Make ``old.h5``."""
    farm.write("old.yaml", model(genetic, f"variances: {{genetic: {value}, residual: 0.7}}", records))
    ended = farm.call("evaluate", "old.yaml", "-o", "old.h5", "-q")
    assert ended.status == 0, ended.err


def use(farm: Farm, genetic: str, section: str = "{file: old.h5}", records: str = "") -> str:
    """Evaluate with ``old.h5``; what was said, after ``refused:`` if it was refused."""
    farm.write("new.yaml", model(genetic, f"variances: {section}", records))
    checked, ended = farm.call("check", "new.yaml"), farm.call("evaluate", "new.yaml", "-o", "new.h5")
    assert checked.status == ended.status
    assert "Traceback" not in ended.err
    return ("refused: " if ended.status else "") + ended.err


#: Terms, and how the second one is shown where that is not as it was written.
OTHERS = [
    ("genetic(id, legendre(dim, 1, 5, 305))", "genetic(id, legendre(dim, 1, 1, 400))", ""),
    ("genetic(id, legendre(dim, 1, 5, 305))", "genetic(id, spline(dim, knots(5, 305)))", ""),
    ("genetic(id, legendre(dim, 1, 5, 305))", "genetic(id, legendre(x, 1, 0, 4))", ""),
    ("genetic(id, spline(dim, knots(5, 305)))", "genetic(id, spline(dim, knots(4, 305)))", ""),
    (
        "genetic(id, spline(dim, knots(5, 305)))",
        "genetic(id, bspline(dim, 2, 5, 305, degree(1)))",
        "bspline(dim, knots(5, 305), degree(1))",
    ),
    ("genetic(id, slope(dim))", "genetic(id, slope(log(dim)))", ""),
    ("genetic(id, slope(dim))", "genetic(id, slope(x))", ""),
    ("genetic(id, slope(dim))", "genetic(id, slope(center(dim)))", "slope(center(dim)) with the mean"),
]


@pytest.mark.parametrize(("there", "here", "shown"), OTHERS, ids=[f"{a} as {b}" for a, b, _ in OTHERS])
def test_other_functions_with_the_same_labels(curves: Farm, there: str, here: str, shown: str) -> None:
    """Both terms are named, and the key of the configuration with its line; the same term is taken."""
    stored(curves, there)
    for section, key in (("{file: old.h5}", "file"), ("{genetic: {file: old.h5}, residual: 1}", "genetic")):
        said = use(curves, here, section)
        assert said.startswith("refused: "), said
        assert f": variances.{key}: old.h5 has (co)variances of another effect. milk:id:" in said, said
        assert "new.yaml:4: variances." in said
        assert f"{there} there, and of {here if not shown else 'genetic(id, ' + shown}" in said, said
    assert not (curves.folder / "new.h5").exists()
    said = use(curves, there)
    assert not said.startswith("refused")
    assert "old.h5" not in said.replace("old.h5 →", "")


def test_part_of_a_polynomial(curves: Farm) -> None:
    """The first coefficients of a polynomial of higher order have the labels of one of lower order."""
    stored(curves, "genetic(id, legendre(dim, 2, 5, 305))", "[[0.3, 0, 0], [0, 0.1, 0], [0, 0, 0.1]]")
    said = use(curves, "genetic(id, legendre(dim, 1, 5, 305))")
    assert "are of genetic(id, legendre(dim, 2, 5, 305)) there, and of genetic(id, legendre(dim, 1, 5, 305)) in this" in said


def test_knots_are_compared_and_not_how_they_were_written(curves: Farm) -> None:
    stored(curves, "genetic(id, spline(dim, 3, 5, 305))", "[[0.3, 0, 0], [0, 0.1, 0], [0, 0, 0.1]]")
    assert not use(curves, "genetic(id, spline(dim, knots(5, 155, 305)))").startswith("refused")
    assert "knots(5, 155, 305)" in use(curves, "genetic(id, spline(dim, knots(5, 150, 305)))")


def test_an_observed_range_that_moved(curves: Farm) -> None:
    """The range of the records is the one compared; days up to 306 make other polynomials."""
    stored(curves, "genetic(id, legendre(dim, 1))")
    assert not use(curves, "genetic(id, legendre(dim, 1, 5, 305))").startswith("refused")
    text = (curves.folder / "rec.csv").read_text()
    curves.write("rec.csv", text + "c,1,10.0,306,1,3.06\n")
    said = use(curves, "genetic(id, legendre(dim, 1))")
    assert said.startswith("refused")
    assert "genetic(id, legendre(dim, 1, 5, 305)) there, and of genetic(id, legendre(dim, 1, 5, 306)) in this model" in said


def test_a_mean_that_moved_a_little_is_said(curves: Farm) -> None:
    stored(curves, "genetic(id, slope(center(dim)))")
    text = (curves.folder / "rec.csv").read_text()
    curves.write("rec.csv", text + "c,1,10.0,170,1,1.7\n")
    said = use(curves, "genetic(id, slope(center(dim)))")
    assert not said.startswith("refused")
    assert "variances: old.h5, genetic: slope(center(dim)) with the mean" in said
    curves.write("rec.csv", text + "c,1,10.0,305,1,3.05\n" * 5)
    assert use(curves, "genetic(id, slope(center(dim)))").startswith("refused")


def test_levels_related_in_another_way(curves: Farm) -> None:
    """A kinship matrix in one model, independent levels in the other: key and labels are the same."""
    curves.write("k.csv", "id,c,d,e\nc,1,0.5,0.2\nd,0.5,1,0.2\ne,0.2,0.2,1\n")
    section = "variances: {id: 0.3, residual: 0.7}\nrelationships: {K: {file: k.csv}}"
    curves.write("old.yaml", model("random(id, relationship = 'K')", section))
    ended = curves.call("evaluate", "old.yaml", "-o", "old.h5", "-q")
    assert ended.status == 0, ended.err
    said = use(curves, "random(id)")
    assert "random(id) with levels related by a given matrix there, and of random(id) with independent levels in this" in said


def test_metafounders_have_another_base(curves: Farm) -> None:
    stored(curves, "genetic(id)", "0.3")
    text = model("genetic(id)", "variances: {file: old.h5}").replace(
        "sire: sire", "groups: {column: born, gamma: {within: 0.5}}"
    )
    curves.write("ped.csv", "id,sire,dam,born\na,0,0,2001\nb,0,0,2001\nc,a,b,2003\nd,a,b,2004\ne,c,0,2006\n")
    curves.write("new.yaml", text.replace("groups:", "sire: sire, groups:"))
    said = curves.call("evaluate", "new.yaml", "-o", "new.h5").err
    assert "levels related by the pedigree there, and of genetic(id) with levels related by the pedigree with meta" in said


def test_weights(curves: Farm) -> None:
    """The residual variance of a record without weight is no variance of one with weight; another column is said."""
    stored(curves, "genetic(id)", "0.3")
    said = use(curves, "genetic(id)", records=", weight: w")
    assert "the residual variance of milk is that of a record without weight there, and that of a record with" in said
    assert not use(curves, "genetic(id)", "{genetic: {file: old.h5}, residual: 1}", ", weight: w").startswith("refused")
    stored(curves, "genetic(id)", "0.3", ", weight: w")
    said = use(curves, "genetic(id)", records=", weight: x")
    assert "variances: old.h5: records of milk had their weights in column w; here in x" in said


def test_other_units(curves: Farm) -> None:
    stored(curves, "genetic(id)", "0.3")
    assert "standard deviation" not in use(curves, "genetic(id)")
    rows = [line.split(",") for line in (curves.folder / "rec.csv").read_text().splitlines()]
    pounds = [",".join([*row[:2], f"{float(row[2]) * 2.2046:.4f}", *row[3:]]) for row in rows[1:]]
    curves.write("rec.csv", "\n".join([",".join(rows[0]), *pounds]) + "\n")
    said = use(curves, "genetic(id)")
    assert "milk had a standard deviation of" in said
    assert "Look whether its units are the same." in said


def test_files_of_older_versions_are_taken_and_said(curves: Farm) -> None:
    """Without terms in the file nothing can be compared, and that is said."""
    stored(curves, "genetic(id, legendre(dim, 1, 5, 305))")
    with h5py.File("old.h5", "r+") as file:
        del file["variances/genetic/terms"]
        del file["variances/residual"].attrs["weights"], file["variances/residual"].attrs["deviations"]
    said = use(curves, "genetic(id, legendre(dim, 1, 1, 400))")
    assert not said.startswith("refused")
    assert "could not be checked" in said


def test_numbers_need_no_file(curves: Farm) -> None:
    """Numbers belong to the formula beside them; the range they are for is told."""
    said = use(curves, "genetic(id, legendre(dim, 1))", f"{{genetic: {MATRIX}, residual: 0.7}}")
    assert "legendre(dim, 1): standardized from 5 to 305 (observed)" in said
    assert "could not be checked" not in said


def test_start_of_an_estimation(curves: Farm) -> None:
    """Estimates of other terms, or with other classes of the residual, are no start."""
    stored(curves, "genetic(id, legendre(dim, 1, 5, 305))")
    curves.write("new.yaml", model("genetic(id, legendre(dim, 1, 1, 400))"))
    ended = curves.call("estimate", "new.yaml", "-o", "new.h5", "--start", "old.h5")
    assert ended.status == 1
    assert "old.h5 has (co)variances of another effect" in ended.err
    curves.write("new.yaml", model("genetic(id, legendre(dim, 1, 5, 305))", "variances: {residual: {by: dim, up_to: [100]}}"))
    ended = curves.call("estimate", "new.yaml", "-o", "new.h5", "--start", "old.h5")
    assert ended.status == 1
    assert "has one residual variance for all records; this configuration has residual variances by dim up to 100." in ended.err
    assert not (curves.folder / "new.h5").exists()
