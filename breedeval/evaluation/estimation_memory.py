"""Memory that an estimation will have used at its height, said before its first round."""

from __future__ import annotations

from breedeval.evaluation.config_sections import EstimateSection
from breedeval.results.memory import resident_memory_mib
from breedeval.results.provenance import peak_memory_mib
from breedeval.variance.parameters import Parameters
from breedeval.variance.system import MixedModelSystem

#: Factors that are held at once: of a point and of the next that is tried, whose place the inverse takes later; with tests also
#: that of the maximum, and with profiles that of the last point of a profile.
FACTORS, FACTORS_WITH_TESTS, FACTORS_WITH_PROFILES = 2, 3, 4
#: Arrays of the size of C (its upper triangle) that a round needs at once.
WORK_ARRAYS = 5
#: Arrays of all equations and (co)variances: right-hand sides, solutions, and both once more in the order of elimination.
SOLUTION_ARRAYS = 4
#: What compiled loops, and the libraries that write and tabulate results, take when they are first needed, in MiB.
LIBRARIES_MIB = 20.0


def memory_of_estimation(system: MixedModelSystem, parameters: Parameters, section: EstimateSection, *, is_ml: bool) -> float:
    """MiB; what was already used at the height of setting up counts too."""
    n_factors = FACTORS
    if section.tests not in ((), "none"):
        n_factors = FACTORS_WITH_TESTS
    if section.intervals == "profile":
        n_factors = FACTORS_WITH_PROFILES
    n_values = system.analysis.n_values + (system.random_analysis.n_values if is_ml else 0)
    n_elements, n_observations = len(parameters.elements), system.design.observations.size
    n_residual = sum(number >= len(system.random) for number, _, _ in parameters.elements)
    more = n_factors * n_values + WORK_ARRAYS * len(system.coefficients.row)
    more += SOLUTION_ARRAYS * (n_elements + 2) * len(system.kept) + (2 * n_residual + 4) * n_observations
    return max(peak_memory_mib(), resident_memory_mib() + 8 * more / 2**20 + LIBRARIES_MIB)
