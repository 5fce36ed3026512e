"""Requests and answers against GitHub's published OpenAPI, as far as `api.json` has it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.github.memory import Answer

_FILE = Path(__file__).with_name("api.json")
_ERROR = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
_HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}


@dataclass(frozen=True)
class Asked:
    """An operation, such as `POST /repos/{owner}/{repo}/deployments`, and the values in its path."""

    operation: str
    values: Mapping[str, str]


class Schema:
    """What GitHub says of the operations that we use."""

    def __init__(self) -> None:
        self._operations = _operations()

    def asked(self, method: str, path: str) -> Asked | None:
        """The operation that a request is for; None for one that we do not use."""
        for operation in self._operations:
            verb, template = operation.split(" ")
            match = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template), path)
            if verb == method and match is not None:
                return Asked(operation, match.groupdict())
        return None

    def wrong_request(
        self, asked: Asked, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> list[str]:
        """One sentence for each thing that is not as published; what is not in it at all is wrong too."""
        found = self._operations[asked.operation]
        sent = {name.lower(): value for name, value in headers.items()}
        wrong = [
            f"{name} is {sent.get(name)!r}" for name, value in _HEADERS.items() if sent.get(name) != value
        ]
        if "mlops-core" not in sent.get("user-agent", ""):  # GitHub refuses a request without one
            wrong.append("no user agent of ours")
        known = {one["name"]: one["schema"] for one in found["parameters"] if one["in"] == "query"}
        wrong += [f"unknown query parameter {name}" for name in query.keys() - known.keys()]
        in_path = {one["name"]: one["schema"] for one in found["parameters"] if one["in"] == "path"}
        for name, schema in {**known, **in_path}.items():
            value = {**query, **asked.values}.get(name)
            if value is not None:
                number = schema.get("type") == "integer" and value.isdecimal()
                wrong += _errors(schema, int(value) if number else value, f"{name} {value!r}")
        wanted = found.get("body")
        if wanted is None:
            return wrong if body is None else [*wrong, "a body where none is taken"]
        if isinstance(body, dict):
            wrong += [f"unknown field {name}" for name in body.keys() - wanted["properties"].keys()]
        return [f"{asked.operation}: {one}" for one in [*wrong, *_errors(wanted, body, "body")]]

    def wrong_answer(self, asked: Asked, answer: Answer) -> list[str]:
        """One sentence for each thing that is not as published."""
        answers = self._operations[asked.operation]["answers"]
        status = str(answer.status)
        if status not in answers and answer.status < 400:  # whichever operation, GitHub may refuse it
            return [f"{asked.operation} never answers {status}"]
        schema = answers.get(status) or (_ERROR if answer.status >= 400 else None)
        if schema is None:
            return [] if answer.body is None else [f"{asked.operation} answers {status} without a body"]
        return _errors(schema, answer.body, f"{asked.operation} {status}")


@cache
def _operations() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_FILE.read_text())["operations"]
    return found


def _errors(schema: dict[str, Any], value: Any, what: str) -> list[str]:
    found = Draft202012Validator(schema).iter_errors(value)
    return [f"{what}{error.json_path[1:]}: {error.message[:200]}" for error in found]
