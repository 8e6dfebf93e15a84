"""``breedeval simulate records``: records of any model on a pedigree and a design that are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


def _read_rates(context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> dict[str, float]:
    rates = {}
    for text in texts:
        trait, _, written = text.rpartition("=")
        try:
            rates[trait] = float(written)
        except ValueError as error:
            raise click.BadParameter(f"'{text}' is not TRAIT=RATE, such as milk=0.2.", context, option) from error
        if not trait:
            raise click.BadParameter(f"'{text}' names no trait. Write TRAIT=RATE.", context, option)
    return rates


@click.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), required=True, help="New folder for the files.")
@click.option(
    "--missing",
    multiple=True,
    metavar="TRAIT=RATE",
    callback=_read_rates,
    help="Share of values of a trait that are left out; may be given several times.",
)
@click.option("--spread", default=1.0, show_default=True, help="What a fixed term adds: its SD over records, in residual SD.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="The same seed, the same records.")
def records(config: Path, folder: Path, missing: dict[str, float], spread: float, seed: int) -> None:
    """Simulate the traits of CONFIG's model on its pedigree and on the design of its records.

    All terms of the model get known effects, drawn with the variances of CONFIG. Writes the pedigree, records.csv,
    true_values.csv (breeding values), true_effects.csv (all other effects) and evaluation.yaml, all or nothing.

    \b
    Example:
      breedeval simulate records configs/herd_book.yaml -o known --seed 7
      breedeval evaluate known/evaluation.yaml -o known.h5
    """  # noqa: D301  click reads the backspace
    from breedeval.evaluation.config import read_config

    checked = read_config(config)
    import numpy as np

    from breedeval.cli.console import Console
    from breedeval.evaluation.inputs import prepare, read_records
    from breedeval.evaluation.stored_inbreeding import read_stored
    from breedeval.evaluation.stored_variances import written_variances
    from breedeval.io.relationship_hdf5 import read_hdf5_arrays
    from breedeval.results.provenance import StageClock
    from breedeval.simulate.effects import FixedEffects
    from breedeval.simulate.files import require_new
    from breedeval.simulate.phenotypes import simulate_records

    require_new(folder)
    with Console() as console:
        written, stored = written_variances(checked), read_stored(checked)
        inputs = prepare(checked, StageClock(), console, written, stored=stored, read_hdf5=read_hdf5_arrays)
        joined = read_records(checked, inputs.variances.residual)
        structure = joined.table
        means = {trait: float(np.nanmean(structure.numbers[trait])) for trait in checked.spec.trait_names}
        console.stage("simulating records")
        simulated = simulate_records(
            np.random.default_rng(seed),
            None if inputs.genetics is None else inputs.genetics.built.pedigree,
            checked.spec,
            inputs.variances,
            structure,
            inbreeding=None if inputs.genetics is None else inputs.genetics.inbreeding,
            fixed=FixedEffects(means=means, spread=spread),
            missing=missing,
            weight=joined.weight,
            group_covariance=_group_covariance(checked, inputs.genetics),
            unknown_animals=checked.records.unknown_animals,
            relations=inputs.relations,
            males=None if inputs.genetics is None else inputs.genetics.males,
        )
        for line in simulated.design.account.lines():
            console.say(f"simulated: {line}")
        _write(simulated, checked, joined, folder)
        console.say(f"Next: breedeval evaluate {folder / 'evaluation.yaml'} -o {folder}.h5")


def _group_covariance(config: Any, genetics: Any) -> Any:
    """Γ of metafounders, the variance of random groups, or one genetic variance for each of fixed groups."""
    import numpy as np

    from breedeval.evaluation.grouping import build_gamma

    if genetics is None or genetics.pedigree.n_groups == 0:
        return None
    section = config.pedigree.groups
    if section.gamma is not None:
        return build_gamma(section.gamma, genetics.pedigree)
    return np.eye(genetics.pedigree.n_groups) * (1.0 if section.variance is None else section.variance)


def _write(simulated: Any, config: Any, joined: Any, folder: Path) -> None:
    from dataclasses import replace

    from breedeval.cli.records_folder import copy_configuration
    from breedeval.model.phantom_dams import without_phantom_dams
    from breedeval.simulate import record_files
    from breedeval.simulate.files import new_folder, write_columns

    if joined.phantoms is not None:
        table = without_phantom_dams(simulated.table, joined.phantoms, config.records.phantom_dams.dam)
        simulated = replace(simulated, table=table)
    with new_folder(folder) as unfinished:
        write_columns(record_files.record_columns(simulated), unfinished / "records.csv")
        write_columns(record_files.true_value_columns(simulated), unfinished / "true_values.csv")
        write_columns(record_files.true_effect_columns(simulated), unfinished / "true_effects.csv")
        copy_configuration(config, unfinished, joined.weight)
