"""The configuration: what is read, and that every problem is named with its line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from ruamel.yaml import YAML

from breedeval.errors import ConfigError
from breedeval.evaluation import schema
from breedeval.evaluation.config import EvaluationConfig, read_config
from breedeval.evaluation.config_sections import ConfigFile, MendKind, StopRule
from breedeval.model.variances import build_variances
from breedeval.pedigree.mend import mend_kinds
from breedeval.solvers.stopping import RULES

# the example of the documentation of the configuration
EXAMPLE = """\
title: Milk yield, repeatability animal model

pedigree:
  file: ../pedigrees/holstein_pedigree.csv
  animal: id
  sire: sire
  dam: dam
  birth_year: year
  unknown: ["", "0", "NA"]
  groups: none

records:
  file: ../pedigrees/holstein_records.csv
  missing: ["", "NA"]
  classes: [herd, lactation]
  covariates: [dim]
  weight: w

model:
  milk: herd + lactation + lactation:dim + genetic(id) + permanent(id)

variances:
  genetic: 0.25
  permanent: 0.25
  residual: 0.5

solver:
  ebv_error: 1e-4
  method: pcg
  preconditioner: auto
  max_rounds: 5000

accuracy:
  method: auto

base:
  animals: {birth_year: [2010, 2010], sex: F}

index:
  net_merit: {milk: 0.4, fat: 1.2}
"""

SMALL = """\
pedigree: {file: p.csv, animal: id}
records: {file: r.csv, classes: [herd], covariates: [dim]}
model:
  milk: herd + genetic(id)
variances: {genetic: 1, residual: 2}
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], EvaluationConfig]:
    def from_text(text: str) -> EvaluationConfig:
        path = tmp_path / "farm.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_config(path)

    return from_text


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[str | bytes], list[str]]:
    """The message for a text that must be refused, line by line, without the folder."""

    def lines(text: str | bytes) -> list[str]:
        path = tmp_path / "farm.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        with pytest.raises(ConfigError) as caught:
            read_config(path)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return lines


def test_the_documented_example(read: Callable[[str], EvaluationConfig], tmp_path: Path) -> None:
    config = read(EXAMPLE)
    assert config.title == "Milk yield, repeatability animal model"
    assert config.pedigree is not None
    assert config.pedigree.file.resolve() == (tmp_path.parent / "pedigrees/holstein_pedigree.csv").resolve()
    assert (config.pedigree.animal, config.pedigree.sire, config.pedigree.dam) == ("id", "sire", "dam")
    assert (config.pedigree.birth_year, config.pedigree.birth_date, config.pedigree.sex) == ("year", None, None)
    assert config.pedigree.unknown == ("", "0", "NA")
    assert (config.pedigree.groups, config.pedigree.mend, config.pedigree.inbreeding) == (None, (), True)
    assert config.records.missing == ("", "NA")
    assert (config.records.classes, config.records.covariates) == (("herd", "lactation"), ("dim",))
    assert (config.records.weight, config.records.unknown_animals) == ("w", "refuse")
    (model,) = config.spec.traits
    assert [term.name for term in model.fixed] == ["intercept", "herd", "lactation", "lactation:dim"]
    assert [term.name for term in model.random] == ["genetic(id)", "permanent(id)"]
    assert build_variances(config.variances, config.spec).random["permanent"].matrix.tolist() == [[0.25]]
    assert (config.solver.ebv_error, config.solver.method, config.solver.max_rounds) == (1e-4, "pcg", 5000)
    assert config.accuracy.method == "auto"
    assert config.base is not None
    assert (config.base.animals.birth_year, config.base.animals.sex) == ((2010, 2010), "F")
    assert config.index == {"net_merit": {"milk": 0.4, "fat": 1.2}}
    assert config.notes == (
        "The index net_merit weights 'fat', which is no trait of this model. It cannot be ranked from this run.",
    )
    assert config.config_text == EXAMPLE
    assert config.where(("variances", "residual")) == f"{tmp_path}/farm.yaml:25"


def test_defaults(read: Callable[[str], EvaluationConfig]) -> None:
    config = read(SMALL)
    assert config.title == "farm"
    assert config.pedigree is not None
    assert (config.pedigree.sire, config.pedigree.dam, config.pedigree.unknown) == (None, None, None)
    assert config.records.column_key("herd") == "herd"
    assert (config.solver.method, config.solver.stop, config.solver.stop_tolerance) == ("auto", "ebv_error", 1e-4)
    assert (config.base, dict(config.index), config.notes) == (None, {}, ())


def test_values_are_what_is_written(read: Callable[[str], EvaluationConfig]) -> None:
    config = read(
        "title: NO\n"
        "pedigree: {file: p.csv, animal: 1, sire: 2, dam: none, unknown: [0, 00, -5, NA, 1e3, 2020-01-01]}\n"
        "records: {file: r.csv, classes: [on, 2015], columns: {NO: 3, on: 1, 2015: 2, id: 4}}\n"
        "model: {NO: on + `2015` + genetic(id)}\n"
        "variances: {genetic: 1e-4, residual: 2}\n"
        "solver: {stop: residual, tolerance: 1e-9, threads: 2}\n"
    )
    assert config.title == "NO"
    assert config.spec.trait_names == ("NO",)
    assert config.pedigree is not None
    assert config.pedigree.unknown == ("0", "00", "-5", "NA", "1e3", "2020-01-01")
    assert (config.pedigree.animal, config.pedigree.sire, config.pedigree.dam) == (1, 2, "none")
    assert config.records.classes == ("on", "2015")
    assert config.records.column_key("2015") == 2
    assert config.variances["genetic"] == 1e-4
    assert config.solver.stop_tolerance == 1e-9


def test_order_of_traits_is_kept(read: Callable[[str], EvaluationConfig]) -> None:
    text = SMALL.replace("  milk: herd + genetic(id)\n", "  z: 1\n  a: 1\n  m: 1 + dim\n").replace("genetic: 1, ", "")
    assert read(text).spec.trait_names == ("z", "a", "m")


@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_byte_order_mark_and_windows_line_ends(read: Callable[[str], EvaluationConfig], change: Callable[[str], str]) -> None:
    assert read(change(SMALL)).spec.trait_names == ("milk",)


def test_paths(read: Callable[[str], EvaluationConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERD_FOLDER", "/data/herds")
    config = read(SMALL.replace("p.csv", "'${HERD_FOLDER}/p.csv'").replace("r.csv", "sub/r.csv"))
    assert config.pedigree is not None
    assert config.pedigree.file == Path("/data/herds/p.csv")
    assert config.records.file == tmp_path / "sub/r.csv"


PEDIGREE_KEYS = (
    "file, animal, sire, dam, birth_year, birth_date, sex, unknown, groups, encoding, mend, inbreeding, stored_inbreeding"
)
FORMS = "Write its name, or its number in a file without header."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "animal: id",
            "anmal: id, animal: id",
            f"farm.yaml:1: pedigree.anmal: there is no such key. Did you mean 'animal'? Known are {PEDIGREE_KEYS}.",
        ),
        (
            "variances:",
            "solvr: {method: pcg}\nvariances:",
            "farm.yaml:5: solvr: there is no such key. Did you mean 'solver'? Known are title, pedigree, records, "
            "model, variances, relationships, solver, accuracy, base, publish, estimate, index.",
        ),
        ("file: p.csv, ", "", "farm.yaml:1: pedigree.file: this key is missing. Add it."),
        ("p.csv", "3", "farm.yaml:1: pedigree.file: 3 is not a path. Write the name of a file."),
        (
            "p.csv",
            "'${NOT_SET_HERE}/p.csv'",
            "farm.yaml:1: pedigree.file: the environment variable NOT_SET_HERE is not set, which '${NOT_SET_HERE}/p.csv' "
            "needs. Set it before the run: export NOT_SET_HERE=/a/folder",
        ),
        ("animal: id", "animal: [id]", f"farm.yaml:1: pedigree.animal: a list is not a column. {FORMS}"),
        (
            "animal: id",
            "animal: 0",
            "farm.yaml:1: pedigree.animal: 0 is not the number of a column. Columns are numbered from 1.",
        ),
        ("animal: id", "animal: none", "farm.yaml:1: pedigree: the animal needs a column."),
        (
            "animal: id",
            "animal: 1, sire: father, dam: 3",
            "farm.yaml:1: pedigree: columns are given by name or by number, not by both. Without header all are numbers.",
        ),
        (
            "animal: id",
            "animal: 1, dam: 2",
            "farm.yaml:1: pedigree: without header the column of the sire is needed. Write sire: none if all are unknown.",
        ),
        (
            "animal: id",
            "animal: id, sire: id",
            "farm.yaml:1: pedigree: animal and sire are the same column (id). Correct one of them.",
        ),
        (
            "animal: id",
            "animal: id, groups: yes",
            "farm.yaml:1: pedigree.groups: write none, or {column: NAME}, {codes: negative}, "
            "{by: [birth_year, sex], min_size: 50}.",
        ),
        (
            "animal: id",
            "animal: id, unknown: [0, null]",
            "farm.yaml:1: pedigree.unknown.1: nothing (null) is not a text. If the word is meant, put it into quotes.",
        ),
        (
            "animal: id",
            "animal: id, unknown: 0",
            "farm.yaml:1: pedigree.unknown: 0 cannot stand here; a list in square brackets is needed.",
        ),
        (
            "animal: id",
            "animal: id, mend: [loops]",
            "farm.yaml:1: pedigree.mend.0: 'loops' is none of own_parent, loop, duplicate, sex_conflict, birth_order, "
            "birth_year, both_sexes, suspicious_code, all. Did you mean 'loop'?",
        ),
        (
            "animal: id",
            "animal: id, inbreeding: yes",
            "farm.yaml:1: pedigree.inbreeding: 'yes' cannot stand here; true or false is needed.",
        ),
        (
            "pedigree: {file: p.csv, animal: id}\n",
            "",
            "farm.yaml:1: the section 'pedigree' is missing, which genetic(id) needs. Add it.",
        ),
        ("classes: [herd]", "classes: [herd, herd]", "farm.yaml:2: records.classes: 'herd' stands 2 times. Keep one."),
        (
            "classes: [herd]",
            "classes: [herd, dim]",
            "farm.yaml:2: records.covariates: 'dim' is declared as a class and as a covariate. Keep one of them.",
        ),
        (
            "classes: [herd]",
            "classes: [herd, milk]",
            "farm.yaml:2: records.classes: 'milk' is a trait, its values are numbers. Remove it from classes.",
        ),
        (
            "classes: [herd]",
            "classes: [herd, w], weight: w",
            "farm.yaml:2: records.weight: 'w' is declared as a class; weights are numbers. Remove it from classes.",
        ),
        (
            "classes: [herd]",
            "classes: [herd], unknown_animals: ad",
            "farm.yaml:2: records.unknown_animals: 'ad' is none of refuse, add, drop. Did you mean 'add'?",
        ),
        (
            "classes: [herd]",
            "classes: [herd], columns: {herd: 1, milk: 2, idd: 3}",
            "farm.yaml:2: records.columns: the column of 'id' is missing. Did you mean 'idd'? Add its number.",
        ),
        (
            "classes: [herd]",
            "classes: [herd], columns: {herd: first}",
            "farm.yaml:2: records.columns.herd: 'first' is not the number of a column. Columns are numbered from 1.",
        ),
        (
            "  milk: herd + genetic(id)\n",
            "",
            "farm.yaml:3: model: nothing cannot stand here; a mapping (key: value) is needed.",
        ),
        ("\n  milk: herd + genetic(id)", " {}", "farm.yaml:3: model: nothing stands here. Write at least one line."),
        ("herd + genetic(id)", "[herd]", "farm.yaml:4: model.milk: a list is not a text."),
        ("residual: 2", "{}", None),
        (
            "genetic: 1, ",
            "",
            "farm.yaml:5: variances: 'genetic' is missing: the variance of genetic(id). Give one number.\n"
            "Formula of milk (farm.yaml:4):\n    herd + genetic(id)\n           ^^^^^^^^^^^",
        ),
        (
            "genetic: 1, ",
            "genetic: 1, permanent: 1, ",
            "farm.yaml:5: variances.permanent: 'permanent' belongs to no term of the model. The model needs genetic, residual.",
        ),
        (
            "{genetic: 1, residual: 2}",
            "{file: 3}",
            "farm.yaml:5: variances.file: the name of a file with estimated variances is needed.",
        ),
        (
            "genetic: 1",
            "genetic: {file: estimates.h5, bend: true}",
            "farm.yaml:5: variances.genetic: beside file nothing else can stand here. Remove one of them.",
        ),
        (
            "residual: 2",
            "residual: {by: dim, matrices: {a: 1}}",
            "farm.yaml:5: variances.residual.by: 'dim' is a column of numbers; a class is needed here. "
            "Cut it into intervals by up_to: [35, 100].",
        ),
        (
            "residual: 2",
            "residual: {by: herd, up_to: [3], matrices: [1, 2]}",
            "farm.yaml:5: variances.residual.by: 'herd' is a column of classes; up_to cuts a covariate into intervals. "
            "Leave out up_to.",
        ),
    ],
)
def test_one_problem(refused: Callable[[str], list[str]], old: str, new: str, message: str | None) -> None:
    lines = refused(SMALL.replace(old, new, 1))
    if message is None:
        assert lines[0].startswith("farm.yaml:5: ")
    else:
        assert lines == message.splitlines()


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("solver: {method: pgc}", "solver.method: 'pgc' is none of auto, pcg, direct. Did you mean 'pcg'?"),
        ("solver: {ebv_error: 0}", "solver.ebv_error: 0 must be above 0."),
        ("solver: {ebv_error: .nan}", None),
        ("solver: {max_rounds: 0}", "solver.max_rounds: 0 must be at least 1."),
        ("solver: {max_rounds: 1.5}", "solver.max_rounds: 1.5 cannot stand here; a whole number is needed."),
        ("solver: {threads: '2'}", "solver.threads: '2' cannot stand here; a whole number is needed."),
        (
            "solver: {preconditioner: cholesky}",
            "solver.preconditioner: 'cholesky' is none of auto, incomplete_cholesky, block, diagonal.",
        ),
        ("solver: {stop: residual}", "solver: stop: residual needs a tolerance. Write tolerance: 1e-8, for instance."),
        (
            "solver: {tolerance: 1e-8}",
            "solver: the tolerance of stop: ebv_error is the key ebv_error. Remove tolerance.",
        ),
        ("accuracy: {method: sampling}", "accuracy.method: 'sampling' is not available in this version."),
        ("accuracy: {method: approximate}", "accuracy.method: 'approximate' is not available in this version."),
        ("accuracy: exact", "accuracy: 'exact' cannot stand here; a section (lines key: value) is needed."),
        ("base: {animals: {}}", "base.animals: a condition is needed: birth_year, sex or both."),
        ("base: {animals: {sex: X}}", "base.animals.sex: 'X' is none of F, M."),
        (
            "base: {animals: {birth_year: [2010]}}",
            "base.animals.birth_year.1: a value is missing in this list. Add it.",
        ),
        (
            "base: {animals: {birth_year: [2010, 2011, 2012]}}",
            "base.animals.birth_year: 3 values stand here; 2 are needed.",
        ),
        (
            "base: {animals: {birth_year: [2011, 2010]}}",
            "base.animals: birth_year: 2011 is after 2010. Write the earlier year first.",
        ),
        (
            "base: {animals: {birth_year: [2010, 2011]}}",
            "base.animals.birth_year: years of birth are not known. Name their column under pedigree: "
            "birth_year or birth_date.",
        ),
        ("index: {merit: {milk: high}}", "index.merit.milk: 'high' cannot stand here; a number is needed."),
        ("index: {merit: {}}", "index.merit: nothing stands here. Write at least one line."),
    ],
)
def test_one_problem_of_an_optional_section(refused: Callable[[str], list[str]], added: str, message: str | None) -> None:
    lines = refused(SMALL + added + "\n")
    assert len(lines) == 1
    if message is not None:
        assert lines == [f"farm.yaml:6: {message}"]


def test_formula_error_keeps_its_place(refused: Callable[[str], list[str]]) -> None:
    assert refused(SMALL.replace("herd +", "hred +")) == [
        "farm.yaml:4: model.milk: Formula of milk: 'hred' is declared neither as a class nor as a covariate. "
        "Did you mean 'herd'? Declare it under records: classes (names) or covariates (numbers).",
        "    hred + genetic(id)",
        "    ^^^^",
    ]


def test_all_problems_together(refused: Callable[[str], list[str]]) -> None:
    text = SMALL.replace("animal: id", "animl: id").replace("herd + gen", "herd + dmi + gen") + "solver: {method: fast}\n"
    lines = refused(text)
    assert lines[0] == "farm.yaml: 4 problems."
    assert [line.split(": ")[:2] for line in lines if line.startswith("farm.yaml:")][1:] == [
        ["farm.yaml:1", "pedigree.animal"],
        ["farm.yaml:1", "pedigree.animl"],
        ["farm.yaml:4", "model.milk"],
        ["farm.yaml:6", "solver.method"],
    ]


NEEDED = "It needs the sections pedigree, records, model and variances."
LOOK = "Look at the signs : - [ ] { } and quotes there and in the line above."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"farm.yaml: the configuration is empty. {NEEDED}"),
        ("# only a comment\n", f"farm.yaml: the configuration is empty. {NEEDED}"),
        ("- 1\n- 2\n", f"farm.yaml: the configuration has no sections. {NEEDED}"),
        ("title: a\nmodel: {}\ntitle: b\n", "farm.yaml:3: the key 'title' stands twice, first in line 1. Remove one of them."),
        ("solver:\n\tmethod: pcg\n", "farm.yaml:2: this is not YAML: a tab stands where spaces are needed. Indent by spaces."),
        ("a: b: c\n", f"farm.yaml:1: this is not YAML: mapping values are not allowed here. {LOOK}"),
        ("title: 'x\n", None),
        ("a: 1\n---\nb: 2\n", None),
        ("a: *b\n", None),
        ("? [1, 2]\n: 3\n", "farm.yaml:1: a key must be a text, not a list or a mapping."),
        (b"title: a\nmodel: \xe9table\n", "farm.yaml:2: byte 0xe9 is not UTF-8. Save the configuration as UTF-8."),
        ("%YAML 1.1\n---\na: NO\n", "farm.yaml: configurations are YAML 1.2. Remove the line that begins with %YAML."),
        ("a: &x [*x]\n", None),
        ("a: \x00\n", None),
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)),
            "farm.yaml: with its aliases the configuration has more than 100,000 values.",
        ),
        ("a: " + "[" * 30 + "]" * 30, "farm.yaml:1: lists or mappings are nested too deeply."),
        ("a: " + "[" * 3000 + "]" * 3000, "farm.yaml: lists or mappings are nested too deeply."),
        (b"#" * ((1 << 20) + 1), "farm.yaml: with 1,048,577 bytes this is no configuration file."),
    ],
)
def test_not_a_configuration(refused: Callable[[str | bytes], list[str]], text: str | bytes, message: str | None) -> None:
    lines = refused(text)
    assert lines[0].startswith("farm.yaml")
    if message is not None:
        assert lines == [message]


def test_no_such_file(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert str(caught.value) == f"{path}: there is no such file. Give the path of a configuration (.yaml)."
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        read_config(tmp_path)


def test_names_are_those_of_the_parts() -> None:
    assert get_args(StopRule) == RULES
    assert mend_kinds(["all"]) == set(get_args(MendKind)) - {"all"}


def test_reading_loads_no_numbers(root: Path) -> None:
    """A wrong configuration is answered before numpy and numba are loaded."""
    code = "import sys, breedeval.evaluation.config; print(sorted({'numpy', 'numba', 'scipy', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_shipped_schema_is_the_generated_one() -> None:
    shipped = Path(schema.__file__).with_name("config.schema.json")
    assert shipped.read_text(encoding="utf-8") == schema.config_schema_text(), "write the output of `breedeval schema` there"


def test_schema_knows_every_key() -> None:
    generated: dict[str, Any] = json.loads(schema.config_schema_text())
    assert set(generated["properties"]) == set(ConfigFile.model_fields)
    example = YAML(typ="safe", pure=True).load(EXAMPLE)
    for section in ("pedigree", "records", "solver", "accuracy"):
        reference = generated["properties"][section]
        name = (reference.get("$ref") or reference["anyOf"][0]["$ref"]).rsplit("/", 1)[1]
        assert set(example[section]) <= set(generated["$defs"][name]["properties"])
        assert generated["$defs"][name]["additionalProperties"] is False


def test_every_shipped_configuration_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREEDEVAL_REFDATA", "/reference")
    for path in sorted((root / "configs").glob("*.yaml")):
        config = read_config(path)
        build_variances(config.variances, config.spec, config.where)
