"""The written specification of the results file, in code. `docs/results_file.md` says the same in words.

``FORMAT_VERSION`` goes up by one in its first number when a reader of the old form would read the new one wrongly.
"""

from __future__ import annotations

FORMAT = "breedeval-results"
FORMAT_VERSION = "1.2"

ESTIMATES_FORMAT = "breedeval-estimates"
ESTIMATES_VERSION = "1.1"

ANIMALS = "animals"
EBV = "ebv"
EFFECTS = "effects"
VARIANCES = "variances"
SOLVER = "solver"
RUN = "run"
ESTIMATION = "estimation"

#: Name of the effect that holds solutions of unknown-parent groups and metafounders.
GENETIC_GROUPS = "genetic groups"

#: Data sets below /animals, each (n,), with what they hold.
ANIMAL_DATASETS = {
    "id": "the animal's name, UTF-8, fixed length",
    "sire": "int32 row of the sire, -1 unknown",
    "dam": "int32 row of the dam, -1 unknown",
    "inbreeding": "float64 coefficient F",
    "sex": "int8: 0 unknown, 1 male, 2 female",
    "birth_year": "int32, -1 unknown",
    "n_records": "int32 records used",
    "n_progeny": "int32 progeny in the pedigree, as sire and as dam",
}

#: Columns of the table of estimates: texts, numbers, and in their order.
ESTIMATE_TEXTS = ("kind", "name", "note")
ESTIMATE_NUMBERS = ("estimate", "standard_error", "lower", "upper")
ESTIMATE_COLUMNS = ("kind", "name", *ESTIMATE_NUMBERS, "note")

#: What a reader may rely on in every file.
NEEDED = (*(f"{ANIMALS}/{name}" for name in ANIMAL_DATASETS), EBV, EFFECTS, VARIANCES, SOLVER, f"{RUN}/config", f"{RUN}/record")


def is_readable(version: str, known: str) -> bool:
    """Whether who reads format version `known` reads `version`: the first numbers are the same.

    Examples
    --------
    >>> is_readable("1.7", known="1.1"), is_readable("2.0", known="1.1")
    (True, False)
    """
    return version.split(".", maxsplit=1)[0] == known.split(".", maxsplit=1)[0]


def group_name(name: str) -> str:
    """A name as a group of HDF5, where ``/`` would open another group.

    Examples
    --------
    >>> group_name("fat/protein"), name_of_group(group_name("fat/protein"))
    ('fat%2Fprotein', 'fat/protein')
    """
    return name.replace("%", "%25").replace("/", "%2F")


def name_of_group(group: str) -> str:
    """The name behind a group."""
    return group.replace("%2F", "/").replace("%25", "%")


def estimated_bytes(n_animals: int, id_bytes: int, n_values: int, n_effect_values: int) -> int:
    """Size of a results file: animals, three numbers an EBV, three an effect."""
    return 1_000_000 + n_animals * (37 + id_bytes) + 24 * n_values + 24 * n_effect_values
