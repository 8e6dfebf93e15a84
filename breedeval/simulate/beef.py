"""A beef population with known direct and maternal breeding values: suckler herds, weights at birth and weaning."""

from __future__ import annotations

from typing import Any

import numpy as np

from breedeval.names import Names
from breedeval.simulate.beef_herds import SuckledCalves, SucklerHerds
from breedeval.simulate.beef_plan import EFFECTS, TRAITS, BeefPlan
from breedeval.simulate.configuration import LabelledMatrix, configuration_text
from breedeval.simulate.pedigree import numbered_names
from breedeval.simulate.population import Columns, SimulatedPopulation

_DAM_AGES = ("2", "3", "4", "5-9", "10+")


def simulate_beef(rng: np.random.Generator, **settings: Any) -> SimulatedPopulation:
    """Simulate a beef population.

    Parameters
    ----------
    rng
        Source of all randomness; the same generator state and settings give the same population.
    **settings
        Any setting of `BeefPlan` by name, such as ``n_animals`` or ``ai_share``.

    Returns
    -------
    SimulatedPopulation
        Animals in order of birth, a record for each calf with a known dam.

    Raises
    ------
    ConfigError
        If a setting is unknown or impossible.

    Examples
    --------
    >>> population = simulate_beef(np.random.default_rng(1), n_animals=1000, years=10)
    >>> population.animals.n_animals, population.animals.labels[3]
    (1000, 'weaning_weight:dam')
    """
    plan = BeefPlan.of(**settings)
    herds = SucklerHerds(rng, plan)
    for year in range(plan.years):
        herds.add_year(rng, year)
    animals = herds.animals(plan, "BE", herds.sex, EFFECTS, herds.genetic.values)
    permanent = {f"{trait}:permanent": herds.permanent[:, j] for j, trait in enumerate(TRAITS)}
    return SimulatedPopulation(animals, _records(plan, animals.ids, herds.calves()), permanent, _configuration(plan))


def _records(plan: BeefPlan, ids: Names, calves: SuckledCalves) -> Columns:
    herds = numbered_names("H", int(calves.herd.max(initial=0)) + 1, digits=3)
    herd_years = Names.of(f"{herd}-{plan.first_year + year}" for herd in herds for year in range(plan.years))
    age_class = np.digitize(calves.dam_age, [3, 4, 5, 10])
    return {
        "id": ids.take(calves.calf),
        "dam": ids.take(calves.dam),
        "herd_year": herd_years.take(calves.herd.astype(np.int64) * plan.years + calves.year),
        "sex": Names.of(["M", "F"]).take(calves.sex - 1),
        "dam_age": Names.of(_DAM_AGES).take(age_class),
        "age": calves.age_at_weaning,
        "birth_weight": np.round(calves.weight[:, 0], 1),
        "weaning_weight": np.round(calves.weight[:, 1], 1),
    }


def _configuration(plan: BeefPlan) -> str:
    effects = "genetic(id) + genetic(dam) + permanent(dam)"
    return configuration_text(
        "Weights of beef calves, direct and maternal effects",
        classes=["herd_year", "sex", "dam_age"],
        covariates=["age"],
        model={
            "birth_weight": f"herd_year + sex + dam_age + {effects}",
            "weaning_weight": f"herd_year + sex + dam_age + age + {effects}",
        },
        variances={
            "genetic": LabelledMatrix(EFFECTS, plan.genetic_covariance),
            "permanent": LabelledMatrix(EFFECTS[2:], plan.permanent_covariance),
            "residual": LabelledMatrix(TRAITS, plan.residual_covariance),
        },
    )
