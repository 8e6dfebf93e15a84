"""A plant breeding program with known breeding values: lines by selfing, families, replicated trials."""

from __future__ import annotations

from typing import Any

import numpy as np

from breedeval.names import Names
from breedeval.pedigree.table import SEX_UNKNOWN
from breedeval.simulate.configuration import LabelledMatrix, configuration_text
from breedeval.simulate.plant_plan import EFFECTS, TRAITS, PlantPlan
from breedeval.simulate.plant_program import PlantProgram
from breedeval.simulate.population import Columns, SimulatedPopulation


def simulate_plant(rng: np.random.Generator, **settings: Any) -> SimulatedPopulation:
    """Simulate a breeding program of a self-fertilizing crop.

    Parameters
    ----------
    rng
        Source of all randomness; the same generator state and settings give the same population.
    **settings
        Any setting of `PlantPlan` by name, such as ``n_animals`` (plants of all generations) or ``selfings``.

    Returns
    -------
    SimulatedPopulation
        Plants, parents before progeny; a record for each plot of a finished line. Most parents are sire and dam, of different
        crosses and of their own selfed progeny.

    Raises
    ------
    ConfigError
        If a setting is unknown or impossible.

    Examples
    --------
    >>> population = simulate_plant(np.random.default_rng(1), n_animals=2000, years=5)
    >>> population.animals.n_animals, population.animals.labels
    (2000, ('grain_yield:id', 'height:id'))
    """
    plan = PlantPlan.of(**settings)
    program = PlantProgram(rng, plan)
    for year in range(plan.years):
        program.add_year(rng, year)
    without_sex = np.full(plan.n_animals, SEX_UNKNOWN, dtype=np.int8)
    animals = program.animals(plan, "L", without_sex, EFFECTS, program.values)
    return SimulatedPopulation(animals, _records(plan, animals.ids, program), {}, _configuration(plan))


def _records(plan: PlantPlan, ids: Names, program: PlantProgram) -> Columns:
    plots = program.plots
    line = np.concatenate([part.line for part in plots])
    trial = np.repeat(np.arange(len(plots)), [len(part.line) for part in plots])
    n_blocks = np.array([int(part.block[-1]) + 1 for part in plots])
    block = np.concatenate([part.block for part in plots]) + (np.cumsum(n_blocks) - n_blocks)[trial]
    trial_names = [f"P{part.place + 1}-{plan.first_year + part.year}" for part in plots]
    block_names = [f"{name}-B{b + 1}" for name, n in zip(trial_names, n_blocks, strict=True) for b in range(n)]
    value = np.concatenate([part.value for part in plots])
    # a line stands in the trials of one year, so that line and place name the interaction
    lines, code = np.unique(line, return_inverse=True)
    line_trials = Names.of(f"{name}-P{p + 1}" for name in ids.take(lines) for p in range(plan.trials))
    place = np.array([part.place for part in plots])[trial]
    return {
        "id": ids.take(line),
        "trial": Names.of(trial_names).take(trial),
        "block": Names.of(block_names).take(block),
        "line_trial": line_trials.take(code * plan.trials + place),
        "grain_yield": np.round(value[:, 0], 2),
        "height": np.round(value[:, 1], 1),
    }


def _configuration(plan: PlantPlan) -> str:
    return configuration_text(
        "Yield and height of lines in trials",
        classes=["trial", "block", "line_trial"],
        covariates=[],
        model={
            "grain_yield": "trial + genetic(id) + random(block) + random(line_trial)",
            "height": "trial + genetic(id) + random(block)",
        },
        variances={
            "genetic": LabelledMatrix(EFFECTS, plan.genetic_covariance),
            "block": LabelledMatrix(("grain_yield:block", "height:block"), plan.block_covariance),
            "line_trial": LabelledMatrix(("grain_yield:line_trial",), np.array([[plan.interaction_variance]])),
            "residual": LabelledMatrix(TRAITS, plan.residual_covariance),
        },
        has_sex=False,
    )
