"""The JSON schema of the configuration, for completion and checks in editors."""

from __future__ import annotations

import json
from typing import Any

from breedeval.evaluation.config_sections import ConfigFile


def config_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a configuration.

    Examples
    --------
    >>> sorted(config_schema()["required"])
    ['model', 'records', 'variances']
    """
    schema = ConfigFile.model_json_schema()
    schema["title"] = "Configuration of a genetic evaluation by breedeval"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def config_schema_text() -> str:
    """Return the schema as it is printed and shipped, with a line end."""
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"
