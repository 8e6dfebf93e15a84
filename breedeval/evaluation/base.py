"""The genetic base: the animals whose mean EBV is zero."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Bool
from breedeval.errors import ConfigError
from breedeval.evaluation.config_sections import BaseSection
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import FEMALE, MALE, YEAR_UNKNOWN

FOUNDERS = "founders as the model has them (expected EBV zero)"
GROUPS = "groups of unknown parents as the model has them (see the genetic groups among the effects)"


def base_animals(base: BaseSection | None, pedigree: Pedigree, where: str = "base") -> tuple[Bool | None, str]:
    """Find the animals of the base; `where` is the place in the configuration, for messages.

    Returns
    -------
    chosen : (n,) bool, or None where the base is the founders as the model has them
    description : what an EBV of zero means

    Raises
    ------
    ConfigError
        If no animal meets the conditions.
    """
    if base is None:
        return None, GROUPS if pedigree.n_groups else FOUNDERS
    chosen = np.ones(pedigree.n_animals, dtype=bool)
    parts = []
    if base.animals.sex is not None:
        chosen &= pedigree.sex == (FEMALE if base.animals.sex == "F" else MALE)
        parts.append("females" if base.animals.sex == "F" else "males")
    else:
        parts.append("animals")
    if base.animals.birth_year is not None:
        low, high = base.animals.birth_year
        year = pedigree.birth_year
        chosen &= (year != YEAR_UNKNOWN) & (year >= low) & (year <= high)
        parts.append(f"born {low} to {high}" if high > low else f"born {low}")
    description = " ".join(parts)
    if not chosen.any():
        raise ConfigError(
            f"{where}: no animal of the pedigree is among '{description}'. Widen the conditions, "
            "and name the columns birth_year and sex in the section pedigree."
        )
    return chosen, f"mean of {int(chosen.sum()):,} {description}"
