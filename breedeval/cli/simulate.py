"""``breedeval simulate``: populations with known breeding values."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from breedeval.cli.simulate_records import records

Command = TypeVar("Command", bound=Callable[..., Any])


def _read_settings(context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any]:
    """Read ``name=value`` and ``name=value,value``."""
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, written = text.partition("=")
        try:
            values = [_number(part) for part in written.split(",")]
        except ValueError as error:
            raise click.BadParameter(f"'{text}' is not NAME=VALUE with numbers.", context, option) from error
        if not equals or name in settings:
            raise click.BadParameter(f"'{name}' is given twice.", context, option)
        settings[name.strip().replace("-", "_")] = values[0] if len(values) == 1 else tuple(values)
    return settings


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


@click.group()
def simulate() -> None:
    """Simulate populations with known breeding values."""


def _population_options(animals: int, years: int) -> Callable[[Command], Command]:
    """Add the options that all populations share."""
    options = [
        click.option(
            "-o", "--output", "folder", type=click.Path(path_type=Path), required=True, help="New folder for the files."
        ),
        click.option("--animals", "n_animals", default=animals, show_default=True, help="Animals in the pedigree."),
        click.option("--years", default=years, show_default=True, help="Years."),
        click.option("--unknown-sire", default=0.0, show_default=True, help="Share of animals whose sire is not written down."),
        click.option("--unknown-dam", default=0.0, show_default=True, help="Share of animals whose dam is not written down."),
        click.option(
            "--seed",
            default=1,
            show_default=True,
            type=click.IntRange(min=0),
            help="Start of the random numbers; the same seed, the same population.",
        ),
        click.option(
            "--set",
            "more",
            multiple=True,
            metavar="NAME=VALUE",
            callback=_read_settings,
            help="Any other setting, such as survival=0.7; pairs as h2=0.3,0.4. May be given several times.",
        ),
    ]

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@simulate.command()
@_population_options(animals=20_000, years=20)
@click.option("--records-per-cow", default=1.7, show_default=True, help="Recorded lactations, mean over all cows.")
@click.option("--calves-per-sire", default=50.0, show_default=True, help="Calves a year of a sire; sets how many are in use.")
@click.option("--genomic-share", default=0.0, show_default=True, help="Share of sires that are yearlings with genomic proofs.")
@click.option("--embryo-share", default=0.0, show_default=True, help="Share of calves that are embryos of such heifers.")
@click.option("--h2", default=0.3, show_default=True, help="Heritability within herd-years.")
@click.option("--permanent-share", default=0.2, show_default=True, help="Permanent environment's share of the variance.")
def dairy(folder: Path, seed: int, more: dict[str, Any], **settings: Any) -> None:
    """Simulate a dairy herd-book with milk records.

    Writes pedigree.csv, records.csv, true_values.csv and evaluation.yaml, all or nothing.

    \b
    Example:
      breedeval simulate dairy -o herd --animals 5000 --seed 7
      breedeval evaluate herd/evaluation.yaml -o herd.h5
    """  # noqa: D301  click reads the backspace
    from breedeval.simulate.dairy import simulate_dairy

    _run(simulate_dairy, folder, seed, settings, more)


@simulate.command()
@_population_options(animals=20_000, years=20)
@click.option("--ai-share", default=0.3, show_default=True, help="Share of calves by artificial insemination.")
def beef(folder: Path, seed: int, more: dict[str, Any], **settings: Any) -> None:
    """Simulate suckler herds with birth and weaning weights, direct and maternal effects.

    Writes pedigree.csv, records.csv, true_values.csv and evaluation.yaml, all or nothing.

    \b
    Example:
      breedeval simulate beef -o beef --animals 5000 --seed 7
      breedeval evaluate beef/evaluation.yaml -o beef.h5
    """  # noqa: D301  click reads the backspace
    from breedeval.simulate.beef import simulate_beef

    _run(simulate_beef, folder, seed, settings, more)


@simulate.command()
@_population_options(animals=20_000, years=8)
@click.option("--tested-per-litter", default=6, show_default=True, help="Piglets of a litter that are registered and tested.")
def pig(folder: Path, seed: int, more: dict[str, Any], **settings: Any) -> None:
    """Simulate a pig nucleus with growth, backfat and litter size, selected on an index.

    Writes pedigree.csv, records.csv, true_values.csv and evaluation.yaml, all or nothing.

    \b
    Example:
      breedeval simulate pig -o pigs --animals 5000 --seed 7
      breedeval evaluate pigs/evaluation.yaml -o pigs.h5
    """  # noqa: D301  click reads the backspace
    from breedeval.simulate.pig import simulate_pig

    _run(simulate_pig, folder, seed, settings, more)


@simulate.command()
@_population_options(animals=20_000, years=10)
@click.option("--selfings", default=4, show_default=True, help="Generations of selfing after the F1; 4 makes F5 lines.")
@click.option("--lines-per-cross", default=20, show_default=True, help="Lines of a cross.")
def plant(folder: Path, seed: int, more: dict[str, Any], **settings: Any) -> None:
    """Simulate a line breeding program: crosses, selfing, replicated trials with yield and height.

    Writes pedigree.csv, records.csv, true_values.csv and evaluation.yaml, all or nothing.

    \b
    Example:
      breedeval simulate plant -o lines --animals 5000 --seed 7
      breedeval evaluate lines/evaluation.yaml -o lines.h5
    """  # noqa: D301  click reads the backspace
    from breedeval.simulate.plant import simulate_plant

    _run(simulate_plant, folder, seed, settings, more)


simulate.add_command(records)


def _run(function: Callable[..., Any], folder: Path, seed: int, settings: dict[str, Any], more: dict[str, Any]) -> None:
    import numpy as np

    from breedeval.simulate.files import write_population

    twice = sorted(settings.keys() & more.keys())
    if twice:
        raise click.BadParameter(f"{twice[0]} has an option of its own.", param_hint="--set")
    started = time.perf_counter()
    click.echo(f"Simulating {settings['n_animals']:,} animals over {settings['years']} years ...", err=True)
    population = function(np.random.default_rng(seed), **settings, **more)
    click.echo(f"Writing {settings['n_animals']:,} animals and {population.n_records:,} records ...", err=True)
    write_population(population, folder)
    seconds = time.perf_counter() - started
    click.echo(f"Done in {seconds:.1f} s. Next: breedeval evaluate {folder / 'evaluation.yaml'} -o {folder}.h5", err=True)
