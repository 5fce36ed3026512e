"""A Dockerfile as the steps it is: the instructions that ours uses, and a refusal of all others."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Step", "expanded", "pairs", "steps_of"]

_KNOWN = frozenset({"ARG", "COPY", "ENV", "EXPOSE", "FROM", "LABEL", "RUN", "STOPSIGNAL", "USER", "WORKDIR"})
_FLAGS = {"COPY": {"from"}, "HEALTHCHECK": {"interval", "timeout", "start-period", "retries"}}
_EXEC = frozenset({"CMD", "ENTRYPOINT", "HEALTHCHECK"})
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Step:
    """One instruction: its name, its flags, and what it says, as text or (in exec form) as words."""

    name: str
    flags: Mapping[str, str]
    text: str
    words: tuple[str, ...] = ()


def steps_of(text: str) -> list[Step]:
    """The steps in order. Raises `ValueError` for an instruction, a flag or a form that ours has not."""
    return [_step(line) for line in _lines(text)]


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """The text with the values of its variables. Raises `ValueError` for one that has none."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in variables:
            raise ValueError(f"the Dockerfile uses {name}, which no ARG or ENV gives")
        return variables[name]

    return _VARIABLE.sub(value, text)


def _lines(text: str) -> Iterator[str]:
    """Instructions, each on one line; comments and empty lines are left out."""
    kept = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = "\n".join(kept)
    yield from re.sub(r"\\\n\s*", " ", whole).splitlines()


def _step(line: str) -> Step:
    name, _, rest = line.partition(" ")
    if name not in _KNOWN | _EXEC:
        raise ValueError(f"{name} is no instruction that is known here: {line}")
    flags = {}
    while found := re.match(r"\s*--([a-z-]+)=(\S+)\s+", rest):
        if found[1] not in _FLAGS.get(name, ()):
            raise ValueError(f"{name} --{found[1]} is not known here")
        flags[found[1]] = found[2]
        rest = rest[found.end() :]
    if name == "HEALTHCHECK":
        rest = rest.removeprefix("CMD ")
    rest = rest.strip()
    if name not in _EXEC:
        return Step(name, flags, rest)
    if not rest.startswith("["):
        raise ValueError(f"{name} must be in exec form: the image may have no shell")
    return Step(name, flags, rest, tuple(json.loads(rest)))


def pairs(text: str) -> dict[str, str]:
    """What `ENV` or `LABEL` gives, without quotes."""
    return dict(word.split("=", 1) for word in shlex.split(text))
