"""Bulls are ranked by records within herds, by the selection index of their dam, sire and daughters."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.simulate.plan import DairyPlan
from breedeval.simulate.proofs import Proofs, draw_genomic_proofs

# rows: 0 bull, 1 his dam, 2 his sire, 3 and 4 daughters of the sire, 5 and 6 daughters of the bull, 7 to 9 others
PLAN = DairyPlan(n_animals=30, years=3, h2=0.25)


def proof_of_bull(records: list[tuple[int, int, int, float]]) -> float:
    """Proof after one year of records: cow, herd, sire, yield."""
    proofs = Proofs(PLAN)
    cows, herds, sires, yields = (np.array(column) for column in zip(*records, strict=True))
    proofs.add_year(cows, herds.astype(np.int32), sires.astype(np.int32), yields.astype(float))
    return float(proofs.of_bulls(np.array([0]), np.array([2]), np.array([1]))[0])


def test_the_dam_counts_half_of_her_regressed_deviation_from_her_herd_mates() -> None:
    # deviation +300 in her herd; h² = 0.25: one own record is believed 1 / (1 + 3) = h²
    assert proof_of_bull([(1, 0, -1, 5600.0), (7, 0, -1, 5000.0)]) == pytest.approx(0.5 * 0.25 * 300)


def test_daughters_of_the_sire_count_a_quarter_as_much_as_their_number_allows() -> None:
    # two daughters, each +100 above the herd mean; n / (n + (4 − h²) / h²) = 2 / 17, doubled, half of it for his son
    found = proof_of_bull([(3, 0, 2, 5100.0), (7, 0, -1, 4900.0), (4, 1, 2, 6100.0), (8, 1, -1, 5900.0)])
    assert found == pytest.approx(0.5 * 2 * 100 * 2 / 17)


def test_daughters_of_his_own_are_weighed_against_the_expectation_from_the_parents() -> None:
    found = proof_of_bull([(1, 0, -1, 5600.0), (7, 0, -1, 5000.0), (5, 1, 0, 5000.0), (8, 1, -1, 5400.0)])
    parents = 0.5 * 0.25 * 300
    assert found == pytest.approx((15 * parents + 2 * -200.0) / 16)


def test_herd_differences_do_not_count() -> None:
    poor = proof_of_bull([(1, 0, -1, 3600.0), (7, 0, -1, 3000.0), (8, 1, -1, 9000.0)])
    rich = proof_of_bull([(1, 0, -1, 9600.0), (7, 0, -1, 9000.0), (8, 1, -1, 3000.0)])
    assert poor == pytest.approx(rich)


@pytest.mark.parametrize("reliability", [0.2, 0.65, 1.0])
def test_genomic_proofs_have_their_reliability(reliability: float) -> None:
    rng = np.random.default_rng(1)
    value = rng.normal(0.0, 500.0, 40_000)
    proof = draw_genomic_proofs(rng, value, 500.0**2, reliability)
    # the standard error of r² is 2 r (1 − r²) / √n, below 0.005
    assert np.corrcoef(value, proof)[0, 1] ** 2 == pytest.approx(reliability, abs=0.02)
