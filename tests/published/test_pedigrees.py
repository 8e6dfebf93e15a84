"""Relationship matrices, inbreeding and determinants that books and other programs give.

Mrode table 2.1 (Linear Models for the Prediction of Animal Breeding Values); Wray (1990) and Fernando & Grossman (1990) as in
the R package nadiv 2.18; selfing and gulisija as in the tests of the R package purgeR 1.8.2, whose studbooks of gazelles are
the larger sets.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from breedeval.errors import PedigreeError
from breedeval.io.pedigree_file import read_pedigree, read_pedigree_table
from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.checks import find_problems
from breedeval.pedigree.problems import ProblemKind
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.numerator import Numerator

CLASSICS = ["mrode_2_1", "selfing", "gulisija", "wray90", "fg90"]
GAZELLES = ["arrui", "atlas", "dama", "dorcas"]


def matrix(path):
    frame = pd.read_csv(path, dtype={"animal": str}).set_index("animal")
    return frame.index.to_list(), frame.to_numpy()


def expected_value(folder, quantity, level):
    frame = pd.read_csv(folder / "expected.csv", dtype={"level": str})
    return float(frame.loc[(frame["quantity"] == quantity) & (frame["level"] == level), "oracle"].iloc[0])


@pytest.mark.parametrize("name", CLASSICS)
def test_a_its_inverse_and_inbreeding(refdata, name):
    folder = refdata("ped_classics")
    pedigree = read_pedigree(folder / f"{name}.csv")
    inbreeding = compute_inbreeding(pedigree)
    names, a = matrix(folder / f"{name}_A.csv")
    rows = [pedigree.row_of(animal) for animal in names]
    _, inverse = matrix(folder / f"{name}_Ainv.csv")
    np.testing.assert_allclose(Numerator(pedigree, inbreeding).subset(rows), a, atol=1e-12)
    # The file has 12 digits.
    found = NumeratorInverse(pedigree, inbreeding).to_csr().toarray()[np.ix_(rows, rows)]
    np.testing.assert_allclose(found, inverse, atol=5e-11)
    for animal, row in zip(names, rows, strict=True):
        assert inbreeding[row] == expected_value(folder, f"{name}_F", animal)


@pytest.mark.parametrize("name", GAZELLES)
def test_gazelles(refdata, name):
    check_large_set(refdata("ped_gazelles"), f"{name}.csv")


def test_gazelles_mean_relationship(refdata):
    folder = refdata("ped_gazelles")
    pedigree = read_pedigree(folder / "arrui.csv")
    n = len(pedigree)
    row_sums = Numerator(pedigree, compute_inbreeding(pedigree)).multiply(np.ones(n))
    assert row_sums.sum() / n**2 == pytest.approx(expected_value(folder, "mean_relationship", "arrui.csv"), rel=1e-11)


def test_minnbreast(refdata):
    check_large_set(refdata("ped_minnbreast"), "pedigree.csv")


def check_large_set(folder, file):
    pedigree = read_pedigree(folder / file)
    inbreeding = compute_inbreeding(pedigree)
    table = pd.read_csv(folder / file, dtype={"animal": str})
    rows = [pedigree.row_of(animal) for animal in table["animal"]]
    np.testing.assert_allclose(inbreeding.coefficients[rows], table["F"], atol=1e-9)
    assert inbreeding.coefficients.max() == pytest.approx(expected_value(folder, "max_F", file), abs=1e-11)
    inverse = NumeratorInverse(pedigree, inbreeding)
    assert inverse.log_determinant == pytest.approx(expected_value(folder, "log_determinant_A", file), rel=1e-11)
    assert inverse.diagonal().sum() == pytest.approx(expected_value(folder, "trace_A_inverse", file), rel=1e-11)
    assert inverse.to_csr().nnz == expected_value(folder, "nonzeros_A_inverse_full", file)


def test_a_loop_is_refused_and_mended(refdata):
    table = read_pedigree_table(refdata("ped_classics") / "loop_must_fail.csv")
    with pytest.raises(PedigreeError, match="→"):
        build_pedigree(table)
    loops = [problem for problem in find_problems(table) if problem.kind is ProblemKind.LOOP]
    parents = {}
    for animal, sire, dam in zip(table.animal, table.sire, table.dam, strict=True):
        parents[table.names[animal]] = {table.names[code] for code in (sire, dam) if code >= 0}
    for loop in loops:
        steps = zip(loop.animals, [*loop.animals[1:], loop.animals[0]], strict=True)
        assert all(parent in parents[child] for child, parent in steps)
    built = build_pedigree(table, mend=["loop"])
    assert compute_inbreeding(built.pedigree).coefficients.min() >= 0
    assert built.report.mended


def test_darwins_family_with_unknown_parents_in_many_forms(refdata):
    path = refdata("ped_classics") / "darwin_messy_codes.csv"
    codes = ["", "0", "unk", "UNK", "Unknown", "unknown", "NA"]
    table = read_pedigree_table(path, animal="Individual", sire="Father", dam="Mother", unknown=codes)
    pedigree = build_pedigree(table).pedigree
    inbreeding = compute_inbreeding(pedigree)
    # Berra, Alvarez & Ceballos (2010, BioScience 60:376): F = 0.0630 for the children of Charles Darwin and Emma Wedgwood.
    assert pedigree.parent_ids(pedigree.row_of("Charles Robert Darwin")) == ("Robert Waring Darwin", "Susannah Wedgwood")
    assert inbreeding[pedigree.row_of("William Erasmus Darwin")] == pytest.approx(0.0630, abs=5e-5)


@pytest.mark.parametrize("file", ["deep.csv", "pine.csv", "potato.csv"])
def test_deep_and_plant_pedigrees_are_built(refdata, file):
    path = refdata("ped_deep_and_plants") / file
    built = build_pedigree(read_pedigree_table(path))
    pedigree = built.pedigree
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert pedigree.n_animals == len(set(frame.to_numpy().ravel()) - {"0", ""})
    inbreeding = compute_inbreeding(pedigree)
    a, inverse = Numerator(pedigree, inbreeding), NumeratorInverse(pedigree, inbreeding)
    x = np.random.default_rng(2).normal(size=len(pedigree))
    np.testing.assert_allclose(inverse.multiply(a.multiply(x)), x, atol=1e-8)
    np.testing.assert_allclose(a.subset(np.arange(50)).diagonal(), a.diagonal()[:50])


def test_clean_cattle_pedigree(refdata):
    built = build_pedigree(read_pedigree_table(refdata("ped_hinterwaelder") / "pedigree_clean.csv"))
    assert built.report.n_rows == 1179
    assert built.report.mended == ()


def test_cattle_pedigree_with_errors_names_all_and_can_be_mended(refdata):
    path = refdata("ped_hinterwaelder") / "pedigree_with_errors.csv"
    table = read_pedigree_table(path, birth_year="born", sex="sex")
    with pytest.raises(PedigreeError) as caught:
        build_pedigree(table)
    fatal = {problem.kind for problem in caught.value.facts["problems"]}
    assert fatal == {problem.kind for problem in find_problems(table) if problem.kind.fatal}
    built = build_pedigree(table, mend="all")
    assert built.report.mended
    assert not any(problem.kind is not ProblemKind.REPEATED_ROW for problem in built.report.warnings)
    assert compute_inbreeding(built.pedigree).coefficients.max() < 1
