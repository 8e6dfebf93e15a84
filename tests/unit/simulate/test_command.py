"""``breedeval simulate``: files, the same for the same seed; wrong use is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from breedeval.cli.simulate import simulate
from breedeval.errors import ConfigError, OutputError
from breedeval.evaluation.config import read_config
from breedeval.evaluation.run import evaluate
from breedeval.io.pedigree_file import read_pedigree_table
from breedeval.model.covariance import random_blocks
from breedeval.model.variances import build_variances
from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.checks import find_problems


def run(*arguments: str | Path) -> int:
    result = CliRunner().invoke(simulate, ["dairy", *map(str, arguments)])
    if isinstance(result.exception, ConfigError):
        raise result.exception
    return result.exit_code


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert run("-o", tmp_path / name, "--animals", 800, "--years", 8, "--seed", seed) == 0
    a, b, c = ((tmp_path / name / "records.csv").read_bytes() for name in "abc")
    assert a == b != c


def test_the_configuration_is_ready_and_has_the_variances_of_the_simulation(tmp_path: Path) -> None:
    assert run("-o", tmp_path / "herd", "--animals", 800, "--years", 8, "--h2", 0.333, "--permanent-share", 0.1) == 0
    config = read_config(tmp_path / "herd" / "evaluation.yaml")
    assert config.variances["genetic"] == pytest.approx(0.333 * 1200**2, rel=1e-12)
    assert config.variances["permanent"] == pytest.approx(0.1 * 1200**2, rel=1e-12)
    assert sum(config.variances.values()) == pytest.approx(1200**2, rel=1e-12)
    assert config.pedigree is not None
    assert Path(config.pedigree.file).is_file()
    assert Path(config.records.file).is_file()


def test_what_cannot_be_simulated_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="h2 is 2"):
        run("-o", tmp_path / "herd", "--h2", 2)
    assert run("-o", tmp_path / "herd", "--seed", -1) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["dairy"], ["records", "configs/herd_book.yaml"]])
def test_a_folder_that_is_not_empty_is_refused_before_the_work(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = CliRunner().invoke(simulate, [*command, "-o", str(tmp_path)])
    assert isinstance(result.exception, OutputError)
    assert "not empty" in str(result.exception)
    assert result.output == ""


def test_help_says_whose_parents_are_left_out() -> None:
    shown = {kind: " ".join(CliRunner().invoke(simulate, [kind, "--help"]).output.split()) for kind in ("beef", "plant")}
    assert "Share of animals whose sire is not written down" in shown["beef"]
    assert "Share of crosses whose sire is not written down" in shown["plant"]


def test_help_keeps_the_lines_of_its_example() -> None:
    shown = CliRunner().invoke(simulate, ["dairy", "--help"]).output
    assert "\n    breedeval simulate dairy -o herd --animals 5000 --seed 7\n" in shown


@pytest.mark.parametrize("kind", ["dairy", "beef", "pig", "plant"])
def test_each_population_is_whole_and_without_faults(kind: str, tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        arguments = [kind, "-o", str(tmp_path / name), "--animals", "3000", "--years", "8", "--seed", str(seed)]
        result = CliRunner().invoke(simulate, arguments)
        assert result.exit_code == 0, result.output
    for name in ("pedigree.csv", "records.csv", "true_values.csv", "evaluation.yaml"):
        a, b, c = ((tmp_path / folder / name).read_bytes() for folder in "abc")
        assert a == b
        assert (a != c) == (name != "evaluation.yaml")
    config = read_config(tmp_path / "a" / "evaluation.yaml")
    variances = build_variances(config.variances, config.spec)
    assert len(variances.random) == len(random_blocks(config.spec))
    table = read_pedigree_table(tmp_path / "a" / "pedigree.csv", animal="id", birth_year="birth_year", unknown=["0"])
    kinds = {problem.kind.label for problem in find_problems(table)}
    assert kinds == ({"both_sexes"} if kind == "plant" else set())
    assert build_pedigree(table).pedigree.n_animals == 3000
    truth = pd.read_csv(tmp_path / "a" / "true_values.csv", dtype={"id": str})
    assert len(truth) == 3000
    if kind != "dairy":
        assert list(truth.columns[1:])[: len(variances.random["genetic"].labels)] == list(variances.random["genetic"].labels)


@pytest.mark.parametrize(("kind", "low"), [("beef", 0.3), ("pig", 0.3), ("plant", 0.6)])
def test_today_the_evaluation_of_a_population_finds_its_breeding_values(kind: str, low: float, tmp_path: Path) -> None:
    arguments = [kind, "-o", str(tmp_path / "herd"), "--animals", "3000", "--years", "8", "--seed", "2"]
    assert CliRunner().invoke(simulate, arguments).exit_code == 0
    run = evaluate(tmp_path / "herd" / "evaluation.yaml")
    truth = pd.read_csv(tmp_path / "herd" / "true_values.csv", dtype={"id": str}).set_index("id")
    config = read_config(tmp_path / "herd" / "evaluation.yaml")
    for label in build_variances(config.variances, config.spec).random["genetic"].labels:
        trait, column = label.split(":")
        ebv = run.ebv(trait, column).set_index("id")["ebv"]
        assert ebv.corr(truth[label]) > (0.1 if column == "dam" or trait == "litter_size" else low), label


def test_other_settings_are_set_by_name(tmp_path: Path) -> None:
    arguments = ["beef", "-o", str(tmp_path / "beef"), "--animals", "1000", "--years", "6"]
    result = CliRunner().invoke(simulate, [*arguments, "--set", "direct-h2=0.3,0.2", "--set", "phenotypic_sd=4,30"])
    assert result.exit_code == 0, result.output
    config = read_config(tmp_path / "beef" / "evaluation.yaml")
    assert config.variances["genetic"]["matrix"][1][1] == pytest.approx(0.2 * 900)
    for wrong, words in (("h2", "NAME=VALUE"), ("h2=high", "NAME=VALUE"), ("years=3", "option of its own")):
        result = CliRunner().invoke(simulate, [*arguments, "--set", wrong])
        assert result.exit_code == 2
        assert words in " ".join(result.output.split())


CONFIG = """
title: Weights of calves
pedigree: {file: pedigree.csv, animal: id, sire: sire, dam: dam, birth_year: birth_year, unknown: ["0"]}
records: {file: records.csv, missing: [""], classes: [herd_year, sex, dam_age], covariates: [age]}
model:
  weaning_weight: herd_year + sex:age + genetic(id) + genetic(dam) + permanent(dam)
  birth_weight: herd_year + sex + genetic(id)
variances:
  genetic:
    labels: ["weaning_weight:id", "birth_weight:id", "weaning_weight:dam"]
    matrix: [[200, 10, -40], [10, 6, 0], [-40, 0, 90]]
  permanent: 80
  residual: {by: sex, matrices: {M: [[500, 10], [10, 12]], F: [[300, 5], [5, 8]]}}
"""


def test_records_of_any_configuration(tmp_path: Path) -> None:
    arguments = ["beef", "-o", str(tmp_path / "beef"), "--animals", "2000", "--years", "10"]
    assert CliRunner().invoke(simulate, arguments).exit_code == 0
    config = tmp_path / "beef" / "calves.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        options = ["-o", str(tmp_path / name), "--missing", "birth_weight=0.3", "--seed", str(seed)]
        result = CliRunner().invoke(simulate, ["records", str(config), *options])
        assert result.exit_code == 0, result.output
    a, b, c = ((tmp_path / name / "records.csv").read_bytes() for name in "abc")
    assert a == b != c
    old, new = (pd.read_csv(tmp_path / name / "records.csv", dtype=str) for name in ("beef", "a"))
    for column in ("id", "dam", "herd_year", "sex", "age"):
        assert old[column].equals(new[column])
    assert new["birth_weight"].isna().sum() > old["birth_weight"].isna().sum()
    assert new["birth_weight"][old["birth_weight"].isna()].isna().all()
    means = [frame["weaning_weight"].astype(float).mean() for frame in (old, new)]
    assert abs(means[0] - means[1]) < 40  # the mean of the old records, and one residual SD of each fixed term
    run = evaluate(tmp_path / "a" / "evaluation.yaml")
    truth = pd.read_csv(tmp_path / "a" / "true_values.csv", dtype={"id": str}).set_index("id")
    assert list(truth.columns) == ["weaning_weight:id", "birth_weight:id", "weaning_weight:dam"]
    assert run.ebv("weaning_weight", "id").set_index("id")["ebv"].corr(truth["weaning_weight:id"]) > 0.3
    effects = pd.read_csv(tmp_path / "a" / "true_effects.csv")
    assert set(effects["effect"]) == {"intercept", "herd_year", "sex:age", "sex", "permanent(dam)"}


PEDIGREE = {"file": "pedigree.csv", "animal": "id", "birth_year": "birth_year", "unknown": ["0"]}
RECORDS = {"file": "records.csv", "missing": [""], "classes": ["herd_year"]}
TWO = [[2.0, -0.4], [-0.4, 1.0]]
#: Sections of configurations on a dairy pedigree, with what stands in the two files of the truth.
MODELS = {
    "matrix of a declared name, slope": (
        {
            "records": {**RECORDS, "covariates": ["dim"]},
            "relationships": {"K": {"file": "k.csv", "blend": 0.1}},
            "model": {"milk": 'herd_year + random(herd, slope(dim), relationship = "K")'},
            "variances": {"herd": TWO, "residual": 9},
        },
        0,
        {"intercept", "herd_year", 'random(herd, slope(dim), relationship = "K")'},
    ),
    "file in the formula, two traits": (
        {
            "model": dict.fromkeys(("milk", "dim"), 'herd_year + genetic(id) + random(herd, relationship = "more/k.csv")'),
            "variances": {"genetic": TWO, "herd": TWO, "residual": [[4, 1], [1, 9]]},
        },
        2,
        {"intercept", "herd_year", 'random(herd, relationship = "more/k.csv")'},
    ),
    "dominance": (
        {
            "model": {"milk": "herd_year + genetic(id) + dominance(id)"},
            "variances": {"genetic": 2, "dominance": 1, "residual": 9},
        },
        1,
        {"intercept", "herd_year", "dominance(id)"},
    ),
    "sires and maternal grandsires": (
        {"model": {"milk": "herd_year + genetic(sire_mgs(id))"}, "variances": {"genetic": 2, "residual": 9}},
        1,
        {"intercept", "herd_year"},
    ),
    "unknown dams": (
        {
            "records": {**RECORDS, "phantom_dams": {"animal": "id", "dam": "dam"}},
            "model": {"milk": "herd_year + genetic(id) + genetic(dam) + permanent(dam)"},
            "variances": {"genetic": TWO, "permanent": 1, "residual": 9},
        },
        2,
        {"intercept", "herd_year", "permanent(dam)"},
    ),
    "metafounders, pen mates": (
        {
            "pedigree": {**PEDIGREE, "groups": {"by": ["sex"], "min_size": 1, "gamma": {"within": 0.4, "between": 0.1}}},
            "model": {"milk": "herd_year + genetic(id) + social(id, herd_year) + permanent(id)"},
            "variances": {"genetic": TWO, "permanent": 1, "residual": 9},
        },
        2,
        {"intercept", "herd_year", "permanent(id)"},
    ),
}


@pytest.fixture(scope="module")
def small_herd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cows of a dairy population with the herd and the dam in the records, and a relationship between the herds."""
    folder = tmp_path_factory.mktemp("small") / "herd"
    assert run("-o", folder, "--animals", 600, "--years", 8, "--unknown-dam", 0.2, "--records-per-cow", 1) == 0
    records = pd.read_csv(folder / "records.csv", dtype={"id": str})
    pedigree = pd.read_csv(folder / "pedigree.csv", dtype=str).set_index("id")
    records["dam"] = records["id"].map(pedigree["dam"]).replace("0", "")
    records.to_csv(folder / "records.csv", index=False)
    herds = sorted(records["herd"].unique())
    distance = np.abs(np.subtract.outer(np.arange(len(herds)), np.arange(len(herds))))
    (folder / "more").mkdir()
    for place in (folder, folder / "more"):
        pd.DataFrame(0.8**distance, index=herds, columns=herds).to_csv(place / "k.csv")
    return folder


@pytest.mark.parametrize("name", list(MODELS))
def test_every_kind_of_related_levels_goes_around(name: str, small_herd: Path, tmp_path: Path) -> None:
    sections, n_values, effects = MODELS[name]
    config = small_herd / "model.yaml"
    solver = {"method": "direct"}
    config.write_text(json.dumps({"pedigree": PEDIGREE, "records": RECORDS, "solver": solver, **sections}), encoding="utf-8")
    result = CliRunner().invoke(simulate, ["records", str(config), "-o", str(tmp_path / "new"), "--seed", "5"])
    assert result.exit_code == 0, result.output + str(result.exception)
    truth = pd.read_csv(tmp_path / "new" / "true_values.csv", dtype={"id": str})
    others = pd.read_csv(tmp_path / "new" / "true_effects.csv")
    assert truth.shape[1] == 1 + n_values
    assert set(others["effect"]) == effects
    before, after = (pd.read_csv(folder / "records.csv", dtype=str) for folder in (small_herd, tmp_path / "new"))
    assert before["herd_year"].equals(after["herd_year"])
    assert all(before[name].equals(after[name]) for name in ("id", "dam") if name in after)
    found = evaluate(tmp_path / "new" / "evaluation.yaml")
    if n_values:
        ebv = found.ebv("milk").set_index("id")["ebv"]
        expected = truth.set_index("id").iloc[:, 0]
        assert expected.index.isin(ebv.index).sum() >= len(ebv)
        assert ebv.corr(expected.reindex(ebv.index)) > 0.2


def test_records_are_refused_as_by_the_evaluation_and_nothing_is_left(tmp_path: Path) -> None:
    arguments = ["beef", "-o", str(tmp_path / "beef"), "--animals", "1000", "--years", "6"]
    assert CliRunner().invoke(simulate, arguments).exit_code == 0
    config = tmp_path / "beef" / "evaluation.yaml"
    for options in (["--missing", "birth_weight"], ["--missing", "=0.5"], ["--seed", "-1"]):
        assert CliRunner().invoke(simulate, ["records", str(config), "-o", str(tmp_path / "new"), *options]).exit_code == 2
    result = CliRunner().invoke(simulate, ["records", str(config), "-o", str(tmp_path / "new"), "--missing", "milk=0.5"])
    assert isinstance(result.exception, ConfigError)
    assert [path.name for path in tmp_path.iterdir()] == ["beef"]
