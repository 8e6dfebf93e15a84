"""``breedeval check``: everything but the solution."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: breedeval check configs/herd_book.yaml")
@click.argument("config", type=click.Path(path_type=Path))
def check(config: Path) -> None:
    """Read CONFIG and its files, name every problem, predict memory and size; solve nothing, write nothing."""
    from breedeval.evaluation.config import read_config

    checked = read_config(config)
    from breedeval.cli.console import Console
    from breedeval.evaluation.check import check_evaluation
    from breedeval.evaluation.variance_files import variance_files

    written = None
    if variance_files(checked):
        from breedeval.evaluation.stored_variances import written_variances

        written = written_variances(checked)
    stored = None
    if checked.pedigree is not None and checked.pedigree.stored_inbreeding is not None:
        from breedeval.evaluation.stored_inbreeding import read_stored

        stored = read_stored(checked)
    read_hdf5 = None
    if any(section.file.suffix.lower() in (".h5", ".hdf5") for section in checked.relationships.values()):
        from breedeval.io.relationship_hdf5 import read_hdf5_arrays

        read_hdf5 = read_hdf5_arrays

    with Console() as console:
        console.say(f"{checked.title}: {config}")
        for line in check_evaluation(checked, console, written, stored, read_hdf5):
            click.echo(line)
