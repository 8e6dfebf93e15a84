"""``breedeval evaluate``: the main job."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: breedeval evaluate configs/herd_book.yaml -o herd_book.h5")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("-o", "--results", type=click.Path(path_type=Path), help="Results file; by default CONFIG's name with .h5, here.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads to use; by default as configured, else all cores.")
@click.option("--start", type=click.Path(path_type=Path), help="Older results file, whose solutions are the first guess.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="File for the state of a long solution; goes on from it.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but warnings and errors.")
def evaluate(
    config: Path, results: Path | None, threads: int | None, start: Path | None, checkpoint: Path | None, quiet: bool
) -> None:
    """Compute breeding values as CONFIG says and write them to one HDF5 file.

    The file is written whole or not at all; older results of that name are replaced at the very end, any other file is not.
    With --checkpoint a run that was killed or interrupted goes on where it was, by the same command.
    """
    from breedeval.evaluation.config import read_config

    checked = read_config(config)
    from breedeval.cli.console import Console
    from breedeval.evaluation import run

    path = results or Path(f"{config.stem}.h5")
    with Console(quiet=quiet) as console:
        console.say(f"{checked.title}: {config} → {path}")
        found = run.evaluate(checked, path, threads, console, start, checkpoint)
        for stage in found.record["stages"]:
            console.say(f"time: {stage['seconds']:8.2f} s  {stage['name']} (memory up to {stage['peak_mib']:,.0f} MiB)")
