"""``breedeval warmup``: compile every loop once."""

from __future__ import annotations

import click


@click.command(epilog="Example: breedeval warmup")
def warmup() -> None:
    """Compile every loop once, by evaluating a small simulated herd; later runs start at once."""
    import tempfile
    from pathlib import Path

    from breedeval.cli.console import Console
    from breedeval.evaluation.warmup import compile_all

    with tempfile.TemporaryDirectory() as folder, Console() as console:
        compile_all(Path(folder), console)
    click.echo("All loops are compiled.")
