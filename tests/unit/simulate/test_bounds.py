"""Every bound of a setting of a simulation: beyond it the setting is refused by name, at it the setting is taken."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from breedeval.cli.simulate import simulate
from breedeval.errors import ConfigError
from breedeval.simulate.beef_plan import BeefPlan
from breedeval.simulate.effects import FixedEffects
from breedeval.simulate.pig_plan import PigPlan
from breedeval.simulate.plan import DairyPlan
from breedeval.simulate.plant_plan import PlantPlan

PLANS = {"dairy": DairyPlan, "beef": BeefPlan, "pig": PigPlan, "plant": PlantPlan}

SHARES = {
    "dairy": "unknown_sire unknown_dam male_share young_bull_share genomic_share genomic_reliability embryo_share survival h2 "
    "permanent_share",
    "beef": "unknown_sire unknown_dam ai_share survival sold missing_birth_weight direct_h2 maternal_h2 permanent_share",
    "pig": "unknown_sire unknown_dam survival sold permanent_share h2 litter_share",
    "plant": "unknown_sire unknown_dam interaction_share h2 block_share",
}
POSITIVE = {
    "dairy": "calves_per_sire calves_per_donor genomic_reliability cows_per_herd phenotypic_sd survival h2",
    "beef": "cows_per_herd calves_per_ai_sire cows_per_bull survival first_bull_age phenotypic_sd",
    "pig": "sows_per_herd litters_per_boar survival last_parity phenotypic_sd",
    "plant": "lines_per_cross selfings generations_per_year trials blocks plots_per_block parent_years years phenotypic_sd",
}
NOT_NEGATIVE = {
    "dairy": "records_per_cow herd_sd herd_year_sd",
    "beef": "herd_sd herd_year_sd",
    "pig": "herd_sd batch_sd",
    "plant": "trial_sd",
}


def each(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(kind, name) for kind, names in table.items() for name in names.split()]


def with_value(kind: str, name: str, value: float) -> dict[str, object]:
    """A setting with this value, in the last place of one that has several."""
    default = getattr(PLANS[kind], name)
    whole = int(value) if isinstance(default, int) else value
    return {name: (*default[:-1], whole) if isinstance(default, tuple) else whole}


def refused(kind: str, name: str, value: float) -> str:
    with pytest.raises(ConfigError) as caught:
        PLANS[kind].of(**with_value(kind, name, value))
    return str(caught.value)


@pytest.mark.parametrize(("kind", "name"), each(SHARES))
def test_shares_lie_between_0_and_1(kind: str, name: str) -> None:
    for value in (-0.001, 1.001):
        message = refused(kind, name, value)
        assert f"{name} is " in message
        assert "not a share between 0 and 1" in message


@pytest.mark.parametrize(("kind", "name"), each(POSITIVE))
def test_what_must_be_positive(kind: str, name: str) -> None:
    for value in (0, -1):
        message = refused(kind, name, value)
        assert f"{name} is " in message
        assert "not positive" in message


@pytest.mark.parametrize(("kind", "name"), each(NOT_NEGATIVE))
def test_what_must_not_be_negative(kind: str, name: str) -> None:
    assert f"{name} is -0.001, negative" in refused(kind, name, -0.001)
    PLANS[kind].of(**with_value(kind, name, 0.0))


@pytest.mark.parametrize(
    ("kind", "beyond", "at"),
    [
        ("dairy", {"n_animals": 199}, {"n_animals": 200}),  # 10 births in each of 20 years
        ("dairy", {"years": 2}, {"years": 3}),
        ("dairy", {"first_bull_age": 0}, {"first_bull_age": 1}),
        ("dairy", {"last_bull_age": 1}, {"last_bull_age": 2}),
        ("dairy", {"max_lactations": 0}, {"max_lactations": 1, "records_per_cow": 0.5}),
        ("dairy", {"max_lactations": 21}, {"max_lactations": 20}),
        ("dairy", {"h2": 0.5, "permanent_share": 0.5}, {"h2": 0.5, "permanent_share": 0.499}),
        ("beef", {"n_animals": 399}, {"n_animals": 400}),
        ("beef", {"last_bull_age": 1}, {"last_bull_age": 2}),
        ("beef", {"first_calving": 0}, {"first_calving": 1}),
        ("beef", {"last_calving": 2}, {"last_calving": 3}),
        ("beef", {"years": 3}, {"years": 4}),
        ("pig", {"n_animals": 639}, {"n_animals": 640}),  # 40 births in each of 16 half-years
        ("pig", {"tested_per_litter": 2}, {"tested_per_litter": 3}),
        ("pig", {"last_boar_age": 1}, {"last_boar_age": 2}),
        ("pig", {"years": 1}, {"years": 2}),
        ("plant", {"parents": 1}, {"parents": 2}),
        ("plant", {"founders": 19}, {"founders": 20}),
        ("plant", {"n_animals": 869}, {"n_animals": 870}),
        ("plant", {"years": 0}, {"years": 1}),
    ],
)
def test_bounds_of_single_populations(kind: str, beyond: dict[str, float], at: dict[str, float]) -> None:
    with pytest.raises(ConfigError) as caught:
        PLANS[kind].of(**beyond)
    assert len(caught.value.facts["problems"]) == 1
    PLANS[kind].of(**at)


@pytest.mark.parametrize(("kind", "option"), [(kind, "--seed") for kind in PLANS])
def test_seeds_are_not_negative(kind: str, option: str, tmp_path) -> None:
    result = CliRunner().invoke(simulate, [kind, "-o", str(tmp_path / "new"), option, "-1"])
    assert result.exit_code == 2
    assert option in result.stderr
    assert not (tmp_path / "new").exists()


def test_the_spread_of_fixed_effects_is_not_negative() -> None:
    with pytest.raises(ConfigError, match=r"spread of fixed effects is -0\.5"):
        FixedEffects(spread=-0.5)
    FixedEffects(spread=0.0)
