"""``breedeval simulate``: populations with known breeding values."""

from __future__ import annotations

import time
from pathlib import Path

import click


@click.group()
def simulate() -> None:
    """Simulate populations with known breeding values."""


@simulate.command()
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), required=True, help="New folder for the files.")
@click.option("--animals", default=20_000, show_default=True, help="Animals in the herd-book.")
@click.option("--records-per-cow", default=1.7, show_default=True, help="Recorded lactations, mean over all cows.")
@click.option("--years", default=20, show_default=True, help="Birth years.")
@click.option("--h2", default=0.3, show_default=True, help="Heritability within herd-years.")
@click.option("--permanent-share", default=0.2, show_default=True, help="Permanent environment's share of the variance.")
@click.option("--unknown-sire", default=0.0, show_default=True, help="Share of animals whose sire is not written down.")
@click.option("--unknown-dam", default=0.0, show_default=True, help="Share of animals whose dam is not written down.")
@click.option("--seed", default=1, show_default=True, help="Start of the random numbers; the same seed, the same population.")
def dairy(
    folder: Path,
    animals: int,
    records_per_cow: float,
    years: int,
    h2: float,
    permanent_share: float,
    unknown_sire: float,
    unknown_dam: float,
    seed: int,
) -> None:
    """Simulate a dairy herd-book with milk records.

    Writes pedigree.csv, records.csv, true_values.csv and evaluation.yaml, all or nothing.

    \b
    Example:
      breedeval simulate dairy -o herd --animals 5000 --seed 7
      breedeval evaluate herd/evaluation.yaml -o herd.h5
    """  # noqa: D301  click reads the backspace
    import numpy as np

    from breedeval.simulate.dairy import simulate_dairy
    from breedeval.simulate.files import write_population

    if seed < 0:
        raise click.BadParameter(f"{seed} is negative; take 0 or a positive whole number.", param_hint="--seed")
    started = time.perf_counter()
    click.echo(f"Simulating {animals:,} animals over {years} years ...", err=True)
    population = simulate_dairy(
        np.random.default_rng(seed),
        n_animals=animals,
        years=years,
        records_per_cow=records_per_cow,
        h2=h2,
        permanent_share=permanent_share,
        unknown_sire=unknown_sire,
        unknown_dam=unknown_dam,
    )
    click.echo(f"Writing {animals:,} animals and {population.lactations.n_records:,} lactations ...", err=True)
    write_population(population, folder)
    seconds = time.perf_counter() - started
    click.echo(f"Done in {seconds:.1f} s. Next: breedeval evaluate {folder / 'evaluation.yaml'} -o {folder}.h5", err=True)
