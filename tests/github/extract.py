"""Make `api.json`: of GitHub's published OpenAPI, just the operations that we use.

    python -m tests.github.extract api.github.com.deref.json > tests/github/api.json

The description is the file `generated/api.github.com.deref.json` of the npm package `@octokit/openapi`,
which is GitHub's own (github.com/github/rest-api-description) in a form without references; MIT licence. Of
requests everything is kept that can be checked, of answers the plain fields and those in `_KEPT`; words of
explanation are left out. `nullable`, which is OpenAPI's alone, becomes JSON Schema's type "null".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_SOURCE = "npm @octokit/openapi 23.0.2, generated/api.github.com.deref.json"
_LICENCE = "MIT, Copyright (c) 2020 Octokit contributors"
_REPOSITORY = "/repos/{owner}/{repo}"
_OPERATIONS = (
    ("get", "/deployments"),
    ("post", "/deployments"),
    ("get", "/deployments/{deployment_id}/statuses"),
    ("post", "/deployments/{deployment_id}/statuses"),
    ("post", "/actions/workflows/{workflow_id}/dispatches"),
    ("get", "/actions/workflows/{workflow_id}/runs"),
    ("get", "/actions/runs/{run_id}/approvals"),
    ("get", "/issues/{issue_number}/comments"),
    ("post", "/issues/{issue_number}/comments"),
    ("patch", "/issues/comments/{comment_id}"),
)
_KEPT = {"payload", "creator", "user", "environments", "workflow_runs", "errors", "inputs"}
_PERSON = {"login", "id", "type", "html_url"}
_CHECKED = {"type", "enum", "required", "maxLength", "maxProperties", "additionalProperties", "pattern"}


def _schema(found: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """What can be checked; of an answer (not `whole`) without objects that nobody here reads."""
    kept = {key: found[key] for key in _CHECKED & found.keys()}
    if "items" in found:
        kept["items"] = _schema(found["items"], whole=whole)
    for key in ("oneOf", "anyOf", "allOf"):
        if key in found:
            kept[key] = [_schema(one, whole=whole) for one in found[key]]
    if "properties" in found:
        properties = {
            name: _schema(_person(one) if name in ("creator", "user") else one, whole=whole)
            for name, one in found["properties"].items()
            if whole or name in _KEPT or one.get("type") not in ("object", "array", None)
        }
        kept["properties"] = properties
        kept["required"] = sorted(set(found.get("required", ())) & properties.keys())
    if found.get("nullable") and isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"]
        if "enum" in kept:
            kept["enum"] = [*kept["enum"], None]
    return dict(sorted(kept.items()))


def _person(found: dict[str, Any]) -> dict[str, Any]:
    properties = {name: one for name, one in found.get("properties", {}).items() if name in _PERSON}
    return {**found, "properties": properties}


def _operation(found: dict[str, Any]) -> dict[str, Any]:
    json_of = "application/json"
    kept: dict[str, Any] = {
        "parameters": [
            {
                "in": one["in"],
                "name": one["name"],
                "required": one["in"] == "path" or bool(one.get("required")),
                "schema": _schema(one["schema"], whole=True),
            }
            for one in found.get("parameters", ())
        ],
        "answers": {
            status: _schema(answer["content"][json_of]["schema"], whole=False)
            if json_of in answer.get("content", {})
            else None
            for status, answer in sorted(found["responses"].items())
        },
    }
    if "requestBody" in found:
        kept["body"] = _schema(found["requestBody"]["content"][json_of]["schema"], whole=True)
    return kept


def main(path: Path) -> None:
    """Print the extract of the description in a file."""
    paths = json.loads(path.read_text())["paths"]
    kept = {
        f"{method.upper()} {_REPOSITORY}{rest}": _operation(paths[f"{_REPOSITORY}{rest}"][method])
        for method, rest in _OPERATIONS
    }
    about = {"source": _SOURCE, "licence": _LICENCE, "made_by": "tests/github/extract.py"}
    sys.stdout.write(f"{json.dumps({**about, 'operations': kept}, indent=1)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
