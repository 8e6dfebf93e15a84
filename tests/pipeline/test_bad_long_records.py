"""Lines of a record that contradict each other are named, all of them."""

from __future__ import annotations

from tests.farm import Farm


def test_contradicting_lines_are_both_named(farm: Farm) -> None:
    farm.change("  covariates: [dim]\n", "  long: {trait: trait, value: value, record: [id, date]}\n")
    farm.change("herd + dim + genetic(id)", "herd + genetic(id)\n  fat: genetic(id)")
    farm.change("  genetic: 0.3\n  residual: 0.7\n", "  genetic: [[0.3, 0], [0, 0.3]]\n  residual: [[0.7, 0], [0, 0.7]]\n")
    farm.write("rec.csv", "id,date,herd,trait,value\nc,1,1,milk,10\nd,1,1,milk,11\nd,1,1,fat,3\ne,1,2,fat,4\nc,1,2,fat,4\n")
    farm.refused("Column herd differs between lines of 1 record (rec.csv, lines 2 and 6)")
