"""``breedeval show``: a run in one screen, or animals."""

from __future__ import annotations

from pathlib import Path

import click

from breedeval.cli.output import table_options, write_table


@click.command(epilog="Example: breedeval show herd_book.h5; breedeval show herd_book.h5 NL000123 NL000124")
@click.argument("results", type=click.Path(path_type=Path))
@click.argument("animals", nargs=-1)
@table_options
def show(results: Path, animals: tuple[str, ...], form: str, output: Path | None) -> None:
    """Show the run that made RESULTS, or the ANIMALS with their parents, records and breeding values."""
    from breedeval.report.overview import animals_table, overview
    from breedeval.results.store import open_results

    with open_results(results) as file:
        if animals:
            write_table(animals_table(file, animals), form, output)
        elif form == "table" and output is None:
            click.echo("\n".join(overview(file)))
        else:
            raise click.UsageError("--format and -o are for a table of animals: name one or more.")
