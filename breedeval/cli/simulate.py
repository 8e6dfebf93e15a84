"""``breedeval simulate``: populations with known breeding values."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
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


def _population_options(animals: int, years: int, progeny: str) -> Callable[[Command], Command]:
    """Add the options that all populations share; `progeny` are those whose parents may be left out."""
    options = [
        click.option(
            "-o", "--output", "folder", type=click.Path(path_type=Path), required=True, help="New folder for the files."
        ),
        click.option("--animals", "n_animals", default=animals, show_default=True, help="Animals in the pedigree."),
        click.option("--years", default=years, show_default=True, help="Years."),
        click.option(
            "--unknown-sire", default=0.0, show_default=True, help=f"Share of {progeny} whose sire is not written down."
        ),
        click.option(
            "--unknown-dam", default=0.0, show_default=True, help=f"Share of {progeny} whose dam is not written down."
        ),
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


@dataclass(frozen=True)
class _Population:
    """A command: what it simulates, default of its years, folder of its example, settings with an option, who has parents."""

    name: str
    what: str
    years: int
    folder: str
    options: tuple[tuple[str, float, str], ...]
    progeny: str = "animals"


_POPULATIONS = (
    _Population(
        "dairy",
        "a dairy herd-book with milk records",
        20,
        "herd",
        (
            ("--records-per-cow", 1.7, "Recorded lactations, mean over all cows."),
            ("--calves-per-sire", 50.0, "Calves a year of a sire; sets how many are in use."),
            ("--genomic-share", 0.0, "Share of sires that are yearlings with genomic proofs."),
            ("--embryo-share", 0.0, "Share of calves that are embryos of such heifers."),
            ("--h2", 0.3, "Heritability within herd-years."),
            ("--permanent-share", 0.2, "Permanent environment's share of the variance."),
        ),
    ),
    _Population(
        "beef",
        "suckler herds with birth and weaning weights, direct and maternal effects",
        20,
        "beef",
        (("--ai-share", 0.3, "Share of calves by artificial insemination."),),
    ),
    _Population(
        "pig",
        "a pig nucleus with growth, backfat and litter size, selected on an index",
        8,
        "pigs",
        (("--tested-per-litter", 6, "Piglets of a litter that are registered and tested."),),
    ),
    _Population(
        "plant",
        "a line breeding program: crosses, selfing, replicated trials with yield and height",
        10,
        "lines",
        (
            ("--selfings", 4, "Generations of selfing after the F1; 4 makes F5 lines."),
            ("--lines-per-cross", 20, "Lines of a cross."),
        ),
        "crosses",
    ),
)

_HELP = """Simulate {what}.

Writes pedigree.csv, records.csv, true_values.csv and evaluation.yaml, all or nothing.

\b
Example:
  breedeval simulate {name} -o {folder} --animals 5000 --seed 7
  breedeval evaluate {folder}/evaluation.yaml -o {folder}.h5
"""


def _add_command(population: _Population) -> None:
    def command(folder: Path, seed: int, more: dict[str, Any], **settings: Any) -> None:
        module = import_module(f"breedeval.simulate.{population.name}")
        _run(getattr(module, f"simulate_{population.name}"), folder, seed, settings, more)

    for flag, default, text in reversed(population.options):
        command = click.option(flag, default=default, show_default=True, help=text)(command)
    command = _population_options(20_000, population.years, population.progeny)(command)
    text = _HELP.format(what=population.what, name=population.name, folder=population.folder)
    simulate.command(population.name, help=text)(command)


for _population in _POPULATIONS:
    _add_command(_population)
simulate.add_command(records)


def _run(function: Callable[..., Any], folder: Path, seed: int, settings: dict[str, Any], more: dict[str, Any]) -> None:
    import numpy as np

    from breedeval.simulate.files import require_new, write_population

    twice = sorted(settings.keys() & more.keys())
    if twice:
        raise click.BadParameter(f"{twice[0]} has an option of its own.", param_hint="--set")
    require_new(folder)
    started = time.perf_counter()
    click.echo(f"Simulating {settings['n_animals']:,} animals over {settings['years']} years ...", err=True)
    population = function(np.random.default_rng(seed), **settings, **more)
    click.echo(f"Writing {settings['n_animals']:,} animals and {population.n_records:,} records ...", err=True)
    write_population(population, folder)
    seconds = time.perf_counter() - started
    click.echo(f"Done in {seconds:.1f} s. Next: breedeval evaluate {folder / 'evaluation.yaml'} -o {folder}.h5", err=True)
