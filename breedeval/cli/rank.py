"""``breedeval rank``: ranking lists from a results file."""

from __future__ import annotations

from pathlib import Path

import click

from breedeval.cli.output import table_options, write_table


class YearRange(click.ParamType):  # type: ignore[type-arg]  # not generic in older versions
    """``2015:``, ``2015:2018``, ``:2018`` or ``2015``."""

    name = "FIRST:LAST"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int | None, int | None]:
        """Two years, None for an open end."""
        text = str(value)
        first, colon, last = text.partition(":")
        try:
            low, high = (int(first) if first else None), (int(last) if last else None)
        except ValueError:
            self.fail(f"'{text}' is not a range of years. Write 2015:2018, 2015: or :2018.", param, ctx)
        if low is None and high is None:
            self.fail(f"'{text}' names no year. Write 2015:2018, 2015: or :2018.", param, ctx)
        if low is not None and high is not None and low > high:
            self.fail(f"{low} is after {high}. Write the earlier year first.", param, ctx)
        return (low, high if colon else low)


@click.command(epilog="Example: breedeval rank herd_book.h5 --sex M --born 2015: --min-reliability 0.5 --top 10")
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--trait", help="Trait or published function to rank by; may be left out when there is one trait.")
@click.option("--column", help="Which genetic effect of the trait, such as id or dam; the first by default.")
@click.option("--index", "index_name", help="Rank by an index of the configuration instead of a trait.")
@click.option("--top", type=click.IntRange(min=1), help="Number of animals; 20 for a table on the screen, else all.")
@click.option("--sex", type=click.Choice(["M", "F"]), help="Only males or only females.")
@click.option("--born", type=YearRange(), help="Only animals born in these years: 2015:2018, 2015: or :2018.")
@click.option("--min-reliability", type=click.FloatRange(0, 1), help="Only animals at least so reliable.")
@table_options
def rank(
    results: Path,
    trait: str | None,
    column: str | None,
    index_name: str | None,
    top: int | None,
    sex: str | None,
    born: tuple[int | None, int | None] | None,
    min_reliability: float | None,
    form: str,
    output: Path | None,
) -> None:
    """Rank the animals of RESULTS by breeding value, best first."""
    if trait and index_name:
        raise click.UsageError("Rank by --trait or by --index, not by both.")
    from breedeval.results.content import choose_trait
    from breedeval.results.store import open_results
    from breedeval.selection.index import index_weights
    from breedeval.selection.ranking import Candidates
    from breedeval.selection.ranking import rank as ranked

    if top is None and form == "table" and output is None:
        top = 20
    with open_results(results) as file:
        index = index_weights(file.record, index_name) if index_name else None
        chosen = Candidates(sex, born or (None, None), min_reliability)
        for name in index or [choose_trait(file, trait)]:
            columns = file.columns(name) if name in file.traits else ()
            if column is None and len(columns) > 1:
                how = "An index takes the first" if index else "Choose one with --column"
                click.echo(f"{name}: the EBVs are of {columns[0]}; there are {', '.join(columns)}. {how}.", err=True)
        write_table(ranked(file, trait, top, column=column, index=index, candidates=chosen), form, output)
