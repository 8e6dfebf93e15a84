"""``breedeval schema`` prints what is shipped."""

from __future__ import annotations

import json

from click.testing import CliRunner

from breedeval.cli.schema import schema
from breedeval.evaluation.schema import config_schema


def test_schema_is_printed() -> None:
    done = CliRunner().invoke(schema)
    assert done.exit_code == 0
    assert json.loads(done.stdout) == config_schema()


def test_help_shows_an_example() -> None:
    assert "breedeval schema > config.schema.json\n" in CliRunner().invoke(schema, ["--help"]).stdout
