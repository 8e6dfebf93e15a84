"""A pig population with known breeding values: litters of full sibs, performance test, litter size of sows."""

from __future__ import annotations

from typing import Any

import numpy as np

from breedeval.arrays import Int64
from breedeval.names import Names
from breedeval.simulate.configuration import LabelledMatrix, configuration_text
from breedeval.simulate.pedigree import numbered_names
from breedeval.simulate.pig_herds import PigHerds
from breedeval.simulate.pig_plan import EFFECTS, TRAITS, PigPlan
from breedeval.simulate.population import Columns, SimulatedPopulation


def simulate_pig(rng: np.random.Generator, **settings: Any) -> SimulatedPopulation:
    """Simulate a pig population.

    Parameters
    ----------
    rng
        Source of all randomness; the same generator state and settings give the same population.
    **settings
        Any setting of `PigPlan` by name, such as ``n_animals`` or ``tested_per_litter``.

    Returns
    -------
    SimulatedPopulation
        Animals in order of birth; first a record for each pig tested (growth, backfat), then one for each litter of a sow
        (litter size).

    Raises
    ------
    ConfigError
        If a setting is unknown or impossible.

    Examples
    --------
    >>> population = simulate_pig(np.random.default_rng(1), n_animals=1000, years=4)
    >>> population.animals.n_animals, population.animals.labels
    (1000, ('growth:id', 'backfat:id', 'litter_size:id'))
    """
    plan = PigPlan.of(**settings)
    herds = PigHerds(rng, plan)
    for period in range(plan.n_periods):
        herds.add_period(rng, period)
    animals = herds.animals(plan, "PG", herds.sex, EFFECTS, herds.genetic.values)
    permanent = {"litter_size:permanent": herds.permanent}
    return SimulatedPopulation(animals, _records(plan, animals.ids, herds), permanent, _configuration(plan))


def _records(plan: PigPlan, ids: Names, herds: PigHerds) -> Columns:
    """Tests, then litters; what belongs to the other kind of record is empty."""
    tests, litters = herds.tests, herds.litters
    pig, litter = _joined([t.pig for t in tests]), _joined([t.litter for t in tests])
    sow, parity = _joined([part.sow for part in litters]), _joined([part.parity for part in litters])
    places = [*((part.herd, part.period) for part in tests), *((part.herd, part.period) for part in litters)]
    herd = _joined([herds_of_part for herds_of_part, _ in places])
    period = _joined([np.full(len(herds_of_part), number) for herds_of_part, number in places])
    performance = np.concatenate([np.empty((0, 2)), *(t.performance for t in tests)])
    born_alive = np.concatenate([np.empty(0), *(part.born_alive for part in litters)])
    herd_names = numbered_names("H", herds.n_herds, digits=3)
    batches = Names.of(f"{name}-{plan.first_year + p // 2}-{p % 2 + 1}" for name in herd_names for p in range(plan.n_periods))
    sexes = Names.of(["", "M", "F"])
    parities = Names.of(["", *(str(k) for k in range(1, plan.last_parity + 1))])
    litter_names = _with_empty(numbered_names("L", int(litter.max(initial=0)) + 1, digits=6))
    none_of_sows, none_of_pigs = np.zeros(len(sow), dtype=np.int64), np.zeros(len(pig), dtype=np.int64)
    missing = np.full(len(sow), np.nan)
    return {
        "id": ids.take(np.concatenate([pig, sow])),
        "batch": batches.take(herd * plan.n_periods + period),
        "sex": sexes.take(np.concatenate([herds.sex[pig], none_of_sows])),
        "litter": litter_names.take(np.concatenate([litter + 1, none_of_sows])),
        "parity": parities.take(np.concatenate([none_of_pigs, parity])),
        "growth": np.concatenate([np.round(performance[:, 0]), missing]),
        "backfat": np.concatenate([np.round(performance[:, 1], 1), missing]),
        "litter_size": np.concatenate([np.full(len(pig), np.nan), born_alive]),
    }


def _joined(parts: list[Any]) -> Int64:
    return np.concatenate([np.empty(0, dtype=np.int64), *parts]).astype(np.int64)


def _with_empty(names: Names) -> Names:
    """An empty text, then `names`."""
    return Names(names.buffer, np.concatenate([np.zeros(1, dtype=np.int64), names.offsets]))


def _configuration(plan: PigPlan) -> str:
    return configuration_text(
        "Growth, backfat and litter size of pigs",
        classes=["batch", "sex", "litter", "parity"],
        covariates=[],
        model={
            "growth": "batch + sex + genetic(id) + random(litter)",
            "backfat": "batch + sex + genetic(id) + random(litter)",
            "litter_size": "batch + parity + genetic(id) + permanent(id)",
        },
        variances={
            "genetic": LabelledMatrix(EFFECTS, plan.genetic_covariance),
            "litter": LabelledMatrix(("growth:litter", "backfat:litter"), plan.litter_covariance),
            "permanent": LabelledMatrix(("litter_size:id",), np.array([[plan.permanent_variance]])),
            "residual": LabelledMatrix(TRAITS, plan.residual_covariance),
        },
    )
