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
    """Show the run that made RESULTS, or the ANIMALS with their parents, records and breeding values.

    RESULTS is a file of 'breedeval evaluate', or one of 'breedeval estimate', whose table is shown.
    """
    from breedeval.report.overview import animals_table, overview
    from breedeval.results.store import open_results
    from breedeval.results.stored_estimates import holds_estimates

    if holds_estimates(results):
        _show_estimates(results, animals, form, output)
        return
    with open_results(results) as file:
        if animals:
            write_table(animals_table(file, animals), form, output)
        elif form == "table" and output is None:
            click.echo("\n".join(overview(file)))
        else:
            raise click.UsageError("--format and -o are for a table of animals: name one or more.")


def _show_estimates(path: Path, animals: tuple[str, ...], form: str, output: Path | None) -> None:
    """The table of an estimation; on the screen below what made it."""
    from breedeval.report.overview import estimates_overview
    from breedeval.results.stored_estimates import read_estimates

    if animals:
        raise click.UsageError(f"{path} holds estimates of (co)variances, no animals. Name a file of 'breedeval evaluate'.")
    found = read_estimates(path)
    if form == "table" and output is None:
        click.echo("\n".join([*estimates_overview(found), ""]))
    write_table(found.table, form, output)
