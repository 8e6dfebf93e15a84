"""``breedeval estimate``: variance components."""

from __future__ import annotations

from pathlib import Path

import click

from breedeval.cli.output import FORMAT


@click.command(epilog="Example: breedeval estimate configs/herd_book.yaml -o estimates.h5")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("-o", "--results", type=click.Path(path_type=Path), help="File of estimates; NAME_estimates.h5 by default.")
@click.option(
    "--method",
    type=click.Choice(["auto", "ai", "em", "ml", "mc"]),
    help="ai: REML, average information; em: REML, expectation maximization; ml: maximum likelihood; mc: REML, traces from "
    "simulated data; auto: ai where the factor fits, else mc. Default: as configured.",
)
@click.option(
    "--start", type=click.Path(path_type=Path), help="Go on from this file of estimates; by default from CONFIG's variances."
)
@FORMAT
@click.option("--threads", type=click.IntRange(min=1), help="Threads to use; by default as configured, else all cores.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but warnings and errors.")
def estimate(
    config: Path, results: Path | None, method: str | None, start: Path | None, form: str, threads: int | None, quiet: bool
) -> None:
    """Estimate the (co)variances of the model in CONFIG, with standard errors, heritabilities and correlations.

    Variances in CONFIG are starting values; where there are none, sensible ones are found. The table goes to standard
    output, and everything to one HDF5 file, which 'breedeval show' prints again, and which another CONFIG takes as its
    variances: {file: estimates.h5}. Ctrl-C writes what the last round found; --start goes on from there.
    """
    from breedeval.evaluation.config import read_config

    checked = read_config(config, for_estimation=True)
    from breedeval.cli.console import Console
    from breedeval.cli.output import write_table
    from breedeval.evaluation import estimate as running

    path = results or Path(f"{config.stem}_estimates.h5")
    with Console(quiet=quiet) as console:
        console.say(f"{checked.title}: {config} → {path}")
        found = running.estimate(checked, path, method, threads, console, start)  # type: ignore[arg-type]
        for stage in found.record["stages"]:
            console.say(f"time: {stage['seconds']:8.2f} s  {stage['name']} (memory up to {stage['peak_mib']:,.0f} MiB)")
    write_table(found.table(), form, None)
    if not found.converged:
        interrupted = found.maximum.ending.code == "interrupted"
        raise click.exceptions.Exit(128 + found.record["choices"]["signal"] if interrupted else 1)
