"""What `--json` prints, held against docs/schemas/command-line.json."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types

__all__ = ["SCHEMAS", "meets"]

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas" / "command-line.json"


def meets(verb: str, text: str) -> Any:
    """The one document in `text`, once it is seen to be as the schema of the verb has it.

    No field is missing, and none is there that the schema does not name: the published one lets fields come,
    this one does not.
    """
    document, schema = json.loads(text), _strict()
    assert text.endswith("\n")
    Draft202012Validator({"$defs": schema["$defs"], **schema["properties"][verb]}).validate(document)
    return document


@cache
def _strict() -> dict[str, Any]:
    found: dict[str, Any] = _closed(json.loads(SCHEMAS.read_text()))
    return found


def _closed(part: Any) -> Any:
    if isinstance(part, list):
        return [_closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {key: _closed(one) for key, one in part.items()}
    named = part.get("type") == "object" and "properties" in part
    return {"additionalProperties": False, **found} if named else found
