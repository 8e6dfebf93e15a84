"""No command writes over a file that it reads, and a message names the option that is to be changed."""

from __future__ import annotations

import pytest

from tests.farm import Farm


@pytest.mark.parametrize("name", ["ped.csv", "./rec.csv", "farm.yaml"])
def test_estimates_do_not_replace_an_input(farm: Farm, name: str) -> None:
    before = (farm.folder / name).read_bytes()
    ended = farm.call("estimate", "farm.yaml", "-o", name)
    assert ended.status == 1
    assert "is a file that this run reads. Give the results another name with -o." in ended.err
    assert (farm.folder / name).read_bytes() == before


@pytest.mark.parametrize("command", ["evaluate", "estimate"])
def test_a_file_of_somebody_else_is_not_replaced(farm: Farm, command: str) -> None:
    farm.write("thesis.csv", "three,years\n")
    ended = farm.call(command, "farm.yaml", "-o", "thesis.csv")
    assert ended.status == 1
    assert "thesis.csv is there already and is neither results nor estimates of breedeval" in ended.err
    assert "Choose another name with -o, or remove it." in ended.err
    assert (farm.folder / "thesis.csv").read_text() == "three,years\n"


def test_older_results_are_replaced(farm: Farm) -> None:
    assert farm.evaluate().status == 0
    assert farm.evaluate().status == 0


@pytest.mark.parametrize("command", ["evaluate", "estimate"])
def test_labels_of_a_relationship_are_an_input(farm: Farm, command: str) -> None:
    farm.change("genetic(id)\n", 'genetic(id) + random(herd, relationship = "K")\n')
    farm.change("variances:\n", "relationships: {K: {file: k.txt, labels: l.txt}}\nvariances:\n  herd: 0.1\n")
    farm.change("  classes: [herd]\n", "")
    farm.change("herd + dim + ", "dim + ")
    farm.write("k.txt", "1 0.5\n0.5 1\n")
    farm.write("l.txt", "1\n2\n")
    for name in ("k.txt", "l.txt"):
        ended = farm.call(command, "farm.yaml", "-o", name)
        assert ended.status == 1
        assert f"{name} is a file that this run reads" in ended.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ped.csv", "ped.csv is a file that this run reads. Give the checkpoint another name with --checkpoint."),
        ("out.h5", "out.h5 is the file of the results, too. Give the checkpoint another name with --checkpoint."),
        ("no/x", "for the checkpoint x is not there. Make it, or choose another with --checkpoint."),
        (".", ". is a folder. Give the name of a file with --checkpoint."),
    ],
)
@pytest.mark.parametrize("method", ["pcg", "direct"])
def test_checkpoint_has_a_place_of_its_own(farm: Farm, name: str, message: str, method: str) -> None:
    farm.write("farm.yaml", (farm.folder / "farm.yaml").read_text() + f"solver: {{method: {method}}}\n")
    before = sorted(farm.folder.rglob("*"))
    ended = farm.evaluate("--checkpoint", name)
    assert ended.status == 1
    assert message in ended.err
    assert sorted(farm.folder.rglob("*")) == before


def test_checkpoint_that_is_none_is_not_said_to_be_removed(farm: Farm) -> None:
    farm.write("farm.yaml", (farm.folder / "farm.yaml").read_text() + "solver: {method: pcg}\n")
    farm.write("mine.txt", "precious\n")
    ended = farm.evaluate("--checkpoint", "mine.txt")
    assert ended.status == 1
    assert "mine.txt cannot be read as a checkpoint" in ended.err
    assert "Give another name with --checkpoint" in ended.err
    assert (farm.folder / "mine.txt").read_text() == "precious\n"
