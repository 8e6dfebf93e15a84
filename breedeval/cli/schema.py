"""``breedeval schema``: the JSON schema of the configuration."""

from __future__ import annotations

import click


@click.command()
def schema() -> None:
    """Print the JSON schema of the configuration.

    Editors complete and check configurations with it.

    \b
    Example:
      breedeval schema > config.schema.json
      # first line of a configuration, for editors with a YAML language server:
      # yaml-language-server: $schema=config.schema.json
    """  # noqa: D301  click reads the backspace
    from breedeval.evaluation.schema import config_schema_text

    click.echo(config_schema_text(), nl=False)
