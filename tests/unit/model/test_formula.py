"""Formulas: what they expand to, and where their errors point."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breedeval.errors import FormulaError
from breedeval.model.formula import parse_formula
from breedeval.model.spec import Covariable, FixedTerm, RandomTerm, TraitModel

CLASSES = ("herd", "year", "a", "b", "c", "étable", "days open", "2nd")
COVARIATES = ("dim", "age.1", "x", "_y")


def read(text: str) -> TraitModel:
    return parse_formula("milk", text, classes=CLASSES, covariates=COVARIATES)


def names(text: str) -> tuple[list[str], list[str]]:
    model = read(text)
    return [term.name for term in model.fixed], [term.name for term in model.random]


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("1", ["intercept"]),
        ("herd", ["intercept", "herd"]),
        ("1 + herd", ["intercept", "herd"]),
        ("herd + 1", ["intercept", "herd"]),
        ("0 + herd", ["herd"]),
        ("herd + 0", ["herd"]),
        ("-1 + herd", ["herd"]),
        ("herd - 1", ["herd"]),
        ("a + a + b + a", ["intercept", "a", "b"]),
        ("a:b + b:a", ["intercept", "a:b"]),
        ("a:a", ["intercept", "a"]),
        ("a*b", ["intercept", "a", "b", "a:b"]),
        ("a*b*c", ["intercept", "a", "b", "c", "a:b", "a:c", "b:c", "a:b:c"]),
        ("a/b", ["intercept", "a", "a:b"]),
        ("a/b/c", ["intercept", "a", "a:b", "a:b:c"]),
        ("(a + b)/c", ["intercept", "a", "b", "a:b:c"]),
        ("a/(b + c)", ["intercept", "a", "a:b", "a:c"]),
        ("(a + b):c", ["intercept", "a:c", "b:c"]),
        ("(a + b)*c", ["intercept", "a", "b", "c", "a:c", "b:c"]),
        ("(1 + a):b", ["intercept", "b", "a:b"]),
        ("a:b*c", ["intercept", "c", "a:b", "a:b:c"]),
        ("a:b + c", ["intercept", "a:b", "c"]),
        ("a + b:dim + c", ["intercept", "a", "b:dim", "c"]),
        ("dim:x", ["intercept", "dim:x"]),
        ("dim:a", ["intercept", "a:dim"]),
        ("`days open` + étable + age.1 + _y + `2nd`", ["intercept", "days open", "étable", "age.1", "_y", "2nd"]),
        ("log(x) + sqrt(x) + center(x)", ["intercept", "log(x)", "sqrt(x)", "center(x)"]),
        ("poly(x, 3) + spline(dim,5)", ["intercept", "poly(x, 3)", "spline(dim, 5)"]),
        ("a:legendre(dim, 2, -1.5, 3e2)", ["intercept", "a:legendre(dim, 2, -1.5, 300)"]),
        ("legendre(dim, 1, 0, 1234567.5)", ["intercept", "legendre(dim, 1, 0, 1234567.5)"]),
        ("spline(dim, 5, 5, 305):a", ["intercept", "a:spline(dim, 5, 5, 305)"]),
        ("spline(dim, knots(5, 60.5,305))", ["intercept", "spline(dim, knots(5, 60.5, 305))"]),
        ("bspline(dim, quantiles(6), -5, 305)", ["intercept", "bspline(dim, quantiles(6), -5, 305)"]),
        ("bspline(dim, knots(5, 305), degree(1))", ["intercept", "bspline(dim, knots(5, 305), degree(1))"]),
        ("bspline(dim, 4, degree(3))", ["intercept", "bspline(dim, 4)"]),
        ("herd +\n  year\n", ["intercept", "herd", "year"]),
    ],
)
def test_fixed_terms(text: str, fixed: list[str]) -> None:
    assert names(text) == (fixed, [])


@pytest.mark.parametrize(
    ("text", "random"),
    [
        ("genetic(id) + permanent(id)", ["genetic(id)", "permanent(id)"]),
        ("genetic(id) + genetic(dam) + random(herd)", ["genetic(id)", "genetic(dam)", "random(herd)"]),
        ("genetic(sire) + random(`my litter`)", ["genetic(sire)", "random(my litter)"]),
        ("genetic(id, legendre(dim,2))", ["genetic(id, legendre(dim, 2))"]),
        ("permanent(id, spline(dim, 4))", ["permanent(id, spline(dim, 4))"]),
        ("random(herd, bspline(dim, 4, 5, 305))", ["random(herd, bspline(dim, 4, 5, 305))"]),
        ("random(herd, slope(poly(dim,2)))", ["random(herd, slope(poly(dim, 2)))"]),
        ("random(herd, slope(dim)) + random(year, slope(log(x)))", ["random(herd, slope(dim))", "random(year, slope(log(x)))"]),
        ("random(random) + genetic(genetic)", ["random(random)", "genetic(genetic)"]),
        ("random(a:b) + random(b:c:a)", ["random(a:b)", "random(b:c:a)"]),
        ("random(a/b)", ["random(a)", "random(a:b)"]),
        ("random(a/b/c, slope(x))", ["random(a, slope(x))", "random(a:b, slope(x))", "random(a:b:c, slope(x))"]),
        ("random(a:b/c)", ["random(a:b)", "random(a:b:c)"]),
        ("random(a, slope(x), slope(dim))", ["random(a, slope(x), slope(dim))"]),
        ("random(a, 1 + slope(x) + slope(dim))", ["random(a, slope(x), slope(dim))"]),
        ("random(a) + random(a, 0 + slope(x))", ["random(a)", "random(a, 0 + slope(x))"]),
        ("random(a, 0+slope(x)+slope(log(dim)))", ["random(a, 0 + slope(x) + slope(log(dim)))"]),
        ("random(a, relationship='G.csv')", ['random(a, relationship = "G.csv")']),
        ("random(a, slope(x), relationship = G) + random(a)", ['random(a, slope(x), relationship = "G")', "random(a)"]),
        ("random(relationship, relationship = `my G`)", ['random(relationship, relationship = "my G")']),
        ("dominance(id) + genetic(sire_mgs(id))", ["dominance(id)", "genetic(sire_mgs(id))"]),
        ("genetic(sire_mgs(id), legendre(dim, 1))", ["genetic(sire_mgs(id), legendre(dim, 1))"]),
        ("genetic(sire_mgs)", ["genetic(sire_mgs)"]),
    ],
)
def test_random_terms(text: str, random: list[str]) -> None:
    assert names(text) == (["intercept"], random)


def test_types_and_text_are_kept() -> None:
    text = "0 + herd:legendre(dim, 2, 5, 305) + random(herd, slope(x))"
    assert read(text) == TraitModel(
        "milk",
        (FixedTerm(("herd",), (Covariable("dim", "legendre", 2, 5.0, 305.0),)),),
        (RandomTerm("random", "herd", None, (Covariable("x"),)),),
        text,
    )


UNDECLARED = "Declare it under records: classes (names) or covariates (numbers)."
IF_NUMBERS = "Declare it under records: covariates, if its values are numbers."
SPLINE = "spline(x, 5), spline(x, 5, low, high), spline(x, quantiles(5)) or spline(x, knots(low, ..., high))"
KNOWN = "Known are genetic, permanent, dominance, random, social, log, sqrt, center, poly, legendre, spline, bspline."


@pytest.mark.parametrize(
    ("text", "message", "position", "carets"),
    [
        ("", "The formula is empty. Write at least 1, the overall mean.", 0, 1),
        ("0", "The formula has no term. Write at least 1, the overall mean.", 0, 1),
        ("hred", f"'hred' is declared neither as a class nor as a covariate. Did you mean 'herd'? {UNDECLARED}", 0, 4),
        ("herd + QQQ", f"'QQQ' is declared neither as a class nor as a covariate. {UNDECLARED}", 7, 3),
        ("herd:", "A term is missing here.", 5, 1),
        ("+ herd", "A term is missing here.", 0, 1),
        ("herd year", "A sign is missing before 'year'. Write + or : between terms.", 5, 4),
        ("(herd", "This bracket is not closed.", 0, 1),
        ("herd)", "This bracket closes none that is open. Remove it.", 4, 1),
        ("(a)(b)", "A bracket cannot stand here. Join terms by + or :.", 3, 1),
        ("a, b", "A comma stands only between the arguments of a call. Terms are joined by +.", 1, 1),
        (
            "log(herd)",
            f"'herd' is declared as a class, log(...) needs a covariate. {IF_NUMBERS}",
            4,
            4,
        ),
        (
            "legendre(herd, 2)",
            f"'herd' is declared as a class, legendre(...) needs a covariate. {IF_NUMBERS}",
            9,
            4,
        ),
        ("log(dmi)", "'dmi' is not declared as a covariate. Did you mean 'dim'? Declare it under records: covariates.", 4, 3),
        (
            "genetic(dim)",
            "'dim' is declared as a covariate, genetic(...) needs a class. Remove it from records: covariates.",
            8,
            3,
        ),
        ("random(milk)", "'milk' is the trait itself, random(...) needs a class.", 7, 4),
        ("milk + a", "'milk' is the trait itself and cannot explain it. Remove it.", 0, 4),
        ("genetic(id) + genetic(id)", "genetic(id) stands twice. Keep one of them.", 14, 11),
        ("random(a) + random(a, slope(x))", "random(a) and random(a, slope(x)) overlap. Keep one of them.", 12, 19),
        (
            "a*genetic(id)",
            "The random term genetic(id) cannot be joined by '*'. Add it with +; a random regression is written "
            "genetic(id, legendre(x, 2)) or random(herd, slope(x)).",
            1,
            1,
        ),
        ("a^2", "'^' has no meaning in a formula. Powers of a covariate are written poly(x, 2).", 1, 1),
        (
            "(1|a)",
            "'|' has no meaning in a formula. Random effects are written random(g), where lme4 has (1 | g), and "
            "random(g, slope(x)), where it has (x | g).",
            2,
            1,
        ),
        (
            "milk ~ a",
            "'~' has no meaning in a formula. Write the right-hand side only; the trait stands before it in the configuration.",
            5,
            1,
        ),
        ("a & b", "'&' has no meaning in a formula. A name with unusual characters stands in backquotes: `days open`.", 2, 1),
        (
            "c(a, b)",
            "There is no function 'c'. Columns are declared under records: classes or covariates; "
            f"here they stand by their names. {KNOWN}",
            0,
            1,
        ),
        ("lgendre(dim, 2)", f"There is no function 'lgendre'. Did you mean 'legendre'? {KNOWN}", 0, 7),
        ("slope(dim)", "slope(x) stands within a random term: random(herd, slope(x)).", 0, 5),
        ("2nd", "A name that begins with a digit stands in backquotes: `2nd`.", 0, 3),
        ("1_0", "A name that begins with a digit stands in backquotes: `1_0`.", 0, 3),
        ("`a", "This backquote is not closed. Put one behind the name as well.", 0, 1),
        ("``", "There is no name between these backquotes.", 0, 2),
        ("dim:dim", "dim stands twice in a product. The square is written poly(x, 2).", 0, 7),
        ("0 + 1 + a", "The overall mean is both written and removed. Leave out one of the two.", 4, 1),
        ("a:(0 + b)", "The overall mean is removed outside of brackets only.", 3, 1),
        ("a - b", "Only - 1, which removes the overall mean, can be subtracted.", 2, 3),
        (
            "a + 2",
            "2 has no meaning here; 1 is the overall mean, 0 + removes it. A column of that name is written `2`.",
            4,
            1,
        ),
        ("poly(x)", "poly has another number of arguments. Write poly(x, 2).", 0, 7),
        (
            "legendre(x, 1, 2)",
            "legendre has another number of arguments. Write legendre(x, 2) or legendre(x, 2, low, high).",
            0,
            17,
        ),
        ("legendre(x, 2.5)", "legendre takes a whole number from 0 to 20 here.", 12, 3),
        ("poly(x, 0)", "poly takes a whole number from 1 to 20 here.", 8, 1),
        ("legendre(x, 1, 5, 5)", "The range has no width: low must be below high.", 15, 4),
        ("legendre(x, 1, 5, 1e999)", "A number is missing here. Write legendre(x, 2) or legendre(x, 2, low, high).", 18, 5),
        (
            "genetic(id, dim)",
            "The second argument of a random term is legendre(x, 2), spline(x, 5), bspline(x, 6) or slope(x).",
            12,
            3,
        ),
        (
            "bspline(x, 3)",
            "B-splines of degree 3 have at least 4 coefficients.",
            11,
            1,
        ),
        ("spline(x, 1)", "spline takes a whole number from 2 to 100 here.", 10, 1),
        (
            "spline(x, knots(5, 5, 9))",
            "Knots are two or more, ascending; the first and the last are the ends of the range.",
            16,
            7,
        ),
        ("spline(x, quantiles(5), 9, 3)", "The range has no width: low must be below high.", 24, 4),
        ("bspline(x, 6, degree(12))", "degree takes a whole number from 1 to 9 here.", 21, 2),
        ("spline(x, knots(1, 2), 0, 9)", f"spline has another number of arguments. Write {SPLINE}.", 0, 28),
        ("spline(x, quantiles(5, 6))", f"spline has another number of arguments. Write {SPLINE}.", 0, 26),
        ("spline(x, 5, 6)", f"spline has another number of arguments. Write {SPLINE}.", 0, 15),
        ("spline(x, knots)", f"A bracket is missing here. Write {SPLINE}.", 15, 1),
        (
            "genetic(a:b)",
            "This cannot stand here. Write genetic(x), with one column, or genetic(x, legendre(z, 2)).",
            9,
            1,
        ),
        (
            "genetic()",
            "The name of a column is missing here. Write genetic(x), with one column, or genetic(x, legendre(z, 2)).",
            8,
            1,
        ),
        ("log(sqrt(x))", "Functions cannot stand in one another. Write a column here.", 4, 5),
        (
            "genetic + a",
            f"'genetic' is declared neither as a class nor as a covariate. As a term it is written genetic(x). {UNDECLARED}",
            0,
            7,
        ),
        (
            "genetic(a) + genetic(a, 0 + slope(x))",
            "Genetic effects have one covariance matrix: write genetic(id, slope(x)), and zeros in it if meant.",
            24,
            1,
        ),
        ("random(a*b)", "Write the terms that are meant: random(a) + random(b) + random(a:b).", 8, 1),
        ("random(a/x)", "'x' is declared as a covariate, random(...) needs a class. Remove it from records: covariates.", 9, 1),
        ("random(a/b) + random(a:b)", "random(a:b) stands twice. Keep one of them.", 14, 11),
        (
            "random(a, slope(x)) + random(a, 0 + slope(x))",
            "random(a, slope(x)) and random(a, 0 + slope(x)) overlap. Keep one of them.",
            22,
            23,
        ),
        ("random(a, slope(x), slope(x))", "slope(x) stands twice.", 20, 8),
        (
            "random(a, 0 + legendre(x, 1))",
            "A curve such as legendre(...) stands alone: it has its own intercept. Slopes belong into another term.",
            10,
            18,
        ),
        (
            "random(a, legendre(x, 1), legendre(x, 2))",
            "A random term has one curve: legendre(...) or a spline. Keep one of them.",
            26,
            14,
        ),
        (
            'genetic(id, relationship = "G")',
            "A relationship is given to random(x) only; that of genetic(x) and dominance(x) comes from the pedigree.",
            12,
            18,
        ),
        ('permanent(id, relationship = "G")', "A relationship is given to random(x) only; write random(x).", 14, 18),
        (
            "random(a:b, relationship = G)",
            "A relationship is between the levels of one column; these are combined.",
            12,
            16,
        ),
        ("random(a, relationship = G, relationship = H)", "Two relationships stand in one term. Keep one of them.", 28, 16),
        (
            "random(a, relationship = )",
            'The name of a relationship or of its file is missing here: relationship = "G".',
            10,
            15,
        ),
        ('random(a, relationship = "G)', "This quote is not closed. Put one behind the name as well.", 25, 1),
        ("sire_mgs(id)", "sire_mgs(x) stands within genetic(): genetic(sire_mgs(id)).", 0, 8),
        ("(" * 60 + "a" + ")" * 60, "More than 50 brackets stand within one another.", 50, 1),
    ],
)
def test_errors_point_at_their_place(text: str, message: str, position: int, carets: int) -> None:
    with pytest.raises(FormulaError) as caught:
        read(text)
    assert str(caught.value) == f"Formula of milk: {message}\n    {text}\n    {' ' * position}{'^' * carets}"
    assert caught.value.facts["position"] == position
    assert caught.value.facts["formula"] == text


def test_every_unknown_name_is_reported() -> None:
    with pytest.raises(FormulaError) as caught:
        read("hred + herd +\n  yaer")
    assert str(caught.value).splitlines() == [
        "Formula of milk: 2 problems.",
        f"'hred' is declared neither as a class nor as a covariate. Did you mean 'herd'? {UNDECLARED}",
        "    hred + herd +",
        "    ^^^^",
        f"'yaer' is declared neither as a class nor as a covariate. Did you mean 'year'? {UNDECLARED}",
        "      yaer",
        "      ^^^^",
    ]


def test_caret_stands_under_wide_letters() -> None:
    with pytest.raises(FormulaError) as caught:
        parse_formula("milk", "牧場 + 群", classes=["牧場"], covariates=[])
    assert str(caught.value).splitlines()[-1] == " " * (4 + 4 + 3) + "^^"


def test_repeated_crossing_adds_nothing() -> None:
    assert names("*".join(["(a + b)"] * 20)) == (["intercept", "a", "b", "a:b"], [])


def test_expansion_is_bounded() -> None:
    classes = [f"c{i}" for i in range(30)]
    with pytest.raises(FormulaError, match=r"expands to more than 10,000 terms\. Write the terms that are meant\."):
        parse_formula("milk", "*".join(classes), classes=classes, covariates=[])


_numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
_ranges = st.one_of(st.just((None, None)), st.lists(_numbers, min_size=2, max_size=2, unique=True).map(sorted).map(tuple))
_splines = st.one_of(
    st.builds(
        lambda column, count, ends, placing: Covariable(column, "spline", count, *ends, placing),
        st.sampled_from(COVARIATES),
        st.integers(2, 20),
        _ranges,
        st.sampled_from(["equidistant", "quantiles"]),
    ),
    st.builds(
        lambda column, knots, pieces: Covariable(
            column, "bspline", len(knots) + pieces - 1, None, None, "given", tuple(sorted(knots)), pieces
        ),
        st.sampled_from(COVARIATES),
        st.lists(_numbers, min_size=2, max_size=5, unique=True),
        st.integers(1, 9),
    ),
)
_functions = st.one_of(
    st.sampled_from(COVARIATES).map(Covariable),
    st.builds(Covariable, st.sampled_from(COVARIATES), st.sampled_from(["log", "sqrt", "center"])),
    st.builds(Covariable, st.sampled_from(COVARIATES), st.just("poly"), st.integers(1, 20)),
    _splines,
    st.builds(
        lambda column, degree, low, width: Covariable(column, "legendre", degree, float(low), float(low + width)),
        st.sampled_from(COVARIATES),
        st.integers(0, 20),
        st.integers(-999, 999),
        st.integers(1, 999),
    ),
)
_plain = ("herd", "year", "a", "b", "c", "étable")
_fixed = st.builds(
    FixedTerm,
    st.lists(st.sampled_from(_plain), unique=True, max_size=3).map(tuple),
    st.lists(_functions, unique=True, max_size=2).map(tuple),
).filter(lambda term: not term.is_intercept)
_curves = st.one_of(
    st.none(), _splines, st.builds(Covariable, st.sampled_from(COVARIATES), st.just("legendre"), st.integers(1, 20))
)
_random = st.builds(RandomTerm, st.sampled_from(["genetic", "permanent", "random"]), st.sampled_from(_plain), _curves)


@settings(max_examples=200, deadline=None)
@given(
    st.booleans(),
    st.lists(_fixed, unique_by=lambda term: (frozenset(term.classes), frozenset(term.covariables)), max_size=5),
    st.lists(_random, unique_by=lambda term: (term.kind, term.column), max_size=4),
    st.sampled_from(["+", " + ", "  +\n "]),
)
def test_canonical_names_are_formulas(intercept: bool, fixed: list[FixedTerm], random: list[RandomTerm], plus: str) -> None:
    terms = [term.name for term in (*fixed, *random)]
    model = read(
        plus.join([*([] if intercept else ["0"]), *terms, *(["1"] if intercept else [])]) if intercept or terms else "1"
    )
    expected = (FixedTerm(),) if intercept or not terms else ()
    assert model.fixed == (*expected, *fixed)
    assert model.random == tuple(random)
