"""A pipeline as a file that people read and `mlops run --from` takes: YAML, or JSON."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from mlops_core.domain.pipeline import Consent, PipelineDocument, Retry, Schedule, TaskEntry
from mlops_core.errors import BadInput
from mlops_core.exporters.command import export_command
from mlops_core.exporters.plain import RESOLVED, plain_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_core.domain.value import Value

__all__ = ["from_text", "to_json", "to_yaml"]

_WIDTH = 110
_TOLD = 3  # faults of a file: who mends one sees the others
_SHOWN = 60  # characters of what came
_AGAIN = "export it again (mlops export … --to yaml)"
_FIELDS: dict[tuple[str, ...], type[Value]] = {  # of the document and of what is in it, by their place
    (): PipelineDocument,
    ("tasks",): TaskEntry,
    ("tasks", "retry"): Retry,
    ("schedule",): Schedule,
    ("consent",): Consent,
}
_EXPECTED = {  # by Pydantic's kind of error
    "dict_type": "expected a mapping",
    "float_type": "expected a number",
    "int_type": "expected a whole number",
    "model_type": "expected a mapping",
    "string_type": "expected a text",
    "string_too_short": "expected a text that is not empty",
    "time_delta_parsing": "expected a time span such as P7D or PT12H",
    "time_delta_type": "expected a time span such as P7D or PT12H",
    "tuple_type": "expected a list",
}


def to_yaml(document: PipelineDocument) -> str:
    """The document as YAML: what is left to its default is left out, as docs/pipeline.schema.json has it."""
    lines = (
        f"# The pipeline of {_one_line(document.name)}, made by: {export_command(document, 'yaml')}",
        f"# Run it with: mlops run --from {_one_line(document.name)}.yaml",
    )
    body = yaml.dump(
        _plain(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, indent=2
    )
    return "\n".join([*lines, body])


def to_json(document: PipelineDocument) -> str:
    """The same as JSON."""
    return f"{json.dumps(_plain(document), indent=2, ensure_ascii=False, allow_nan=False)}\n"


def from_text(text: str, where: str) -> PipelineDocument:
    """The document that a text in YAML or JSON holds; `where` names it in messages.

    A key `$schema`, by which editors know what they help with, is passed over. Raises `BadInput` with each
    field that is wrong: its place, what was expected and what came.
    """
    found = plain_of(text.removeprefix("\ufeff"), where)
    if found is None:
        raise BadInput(f"{where}: it is empty: expected a pipeline; {_AGAIN}")
    if not isinstance(found, dict):
        raise BadInput(f"{where}: expected a mapping with name, use_case and tasks, got {_shown(found)}")
    found.pop("$schema", None)
    version = found.get("version", 1)
    if version != 1 or isinstance(version, bool | float):
        raise BadInput(
            f"{where}: version: this mlops reads version 1 of such files, got {_shown(version)}: {_AGAIN}"
        )
    try:
        # Strictly, and as JSON: there a text is no number, and a list becomes a tuple.
        return PipelineDocument.model_validate_json(json.dumps(found, allow_nan=False), strict=True)
    except ValidationError as error:
        problems: list[Any] = list(error.errors())  # Any: Pydantic's type knows no item by its name
        said = list(dict.fromkeys(_sentence(one) for one in problems))
        more = f"; and {len(said) - _TOLD} more" if len(said) > _TOLD else ""
        raise BadInput(f"{where}: {'; '.join(said[:_TOLD])}{more}") from error
    except ValueError as error:  # a number such as 1e999 is infinite, which no JSON can say
        raise BadInput(f"{where}: expected finite numbers, got an infinite one") from error


def _sentence(problem: Mapping[str, Any]) -> str:
    place: Sequence[str | int] = problem["loc"]
    if not place:  # half of a surrogate pair, which no JSON can say
        return str(problem["msg"])
    *above, last = place
    path = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place).removeprefix(".")
    if problem["type"] == "extra_forbidden":
        known = _FIELDS[tuple(one for one in above if isinstance(one, str))].model_fields
        close = get_close_matches(str(last), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
        return f"{path}: there is no such field: {hint}"
    if problem["type"] == "missing":
        return f"{path}: it is missing"
    said = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":  # our own, which says what came
        return f"{path}: {said}"
    said = _EXPECTED.get(problem["type"]) or said.replace("Input should be", "expected", 1)
    return f"{path}: {said}, got {_shown(problem['input'])}"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _plain(document: PipelineDocument) -> dict[str, Any]:
    """Its values in the order in which they are read, without what is left to its default."""
    plain = document.model_dump(mode="json", exclude_defaults=True)
    head = {"version": document.version}
    if document.schedule is not None:
        plain["schedule"] = document.schedule.model_dump(mode="json")  # nobody should guess a time zone
    plain["tasks"] = [_task(one) for one in plain["tasks"]]
    return head | {name: plain[name] for name in PipelineDocument.model_fields if name in plain}


def _task(plain: dict[str, Any]) -> dict[str, Any]:
    """A task's values; short ones stand on one line of YAML."""
    short = {"upstream": _Row, "tags": _Row, "retry": _Fields}
    return {name: short[name](value) if name in short else value for name, value in plain.items() if value}


def _one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)


class _Row(list[Any]):
    """A list on one line."""


class _Fields(dict[str, Any]):
    """A mapping on one line."""


class _Dumper(yaml.SafeDumper):
    """Quotes whatever any reader, of YAML 1.1 or 1.2, would not take for the text that it is."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML asks so
        return True  # no anchors: each task can be read by itself

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's own
        super().increase_indent(flow, False)


# Escaped as soon as it holds a line's end: PyYAML folds some of those, such as U+0085, into spaces.
_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"'
    ),
)
_Dumper.add_representer(
    _Row, lambda dumper, row: dumper.represent_sequence("tag:yaml.org,2002:seq", row, flow_style=True)
)
_Dumper.add_representer(
    _Fields, lambda dumper, row: dumper.represent_mapping("tag:yaml.org,2002:map", row, flow_style=True)
)
for _tag, (_pattern, _first) in RESOLVED.items():
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
