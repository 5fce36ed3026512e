"""What differs between two uses of a stage, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.provenance import changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlops_core.domain.inputs import Inputs

__all__ = ["changes"]

_DIGITS = 12  # of a digest that is shown
_CLOSE = "T23:59:59.999999+00:00"  # a day's instant, see `mlops_core.domain.time`
_LONGEST = 60  # signs of a value that is shown


def changes(before: Inputs, now: Inputs, *, is_unknown: Callable[[object], bool]) -> list[str]:
    """A sentence for each difference, part by part, the part being its first word.

    What is not known yet is passed over. "definitions: label.horizon was P90D, is P60D".
    """
    return [
        *(f"data: {one}" for one in _data(before.data, now.data, is_unknown)),
        *(f"definitions: {one}" for one in _values(before.definitions, now.definitions, is_unknown)),
        *(f"parameters: {one}" for one in _values(before.parameters, now.parameters, is_unknown)),
        *(f"code: {one}" for one in changed(before.code, now.code)),
        *(f"libraries: {one}" for one in _values(before.libraries, now.libraries, is_unknown)),
    ]


def _data(
    before: Mapping[str, str], now: Mapping[str, str], is_unknown: Callable[[object], bool]
) -> Iterator[str]:
    for name, value in now.items():
        if is_unknown(value):
            continue
        if name not in before:
            yield f"{name} is new"
        elif before[name] != value and _is_digest(value):
            yield f"{name} is another version (digest was {before[name][:_DIGITS]}, is {value[:_DIGITS]})"
        elif before[name] != value:
            yield f"{name} was {_without_digest(before[name])}, is {_without_digest(value)}"
    yield from (f"{name} is gone" for name in before if name not in now)


def _values(before: Any, now: Any, is_unknown: Callable[[object], bool], path: str = "") -> Iterator[str]:
    """Differences of JSON values, by the path to each."""
    if is_unknown(now) or before == now:
        return
    if isinstance(before, dict) and isinstance(now, dict):
        for name in [*now, *(name for name in before if name not in now)]:
            inner = f"{path}.{name}" if path else name
            if name not in before:
                yield f"{inner} is new"
            elif name not in now:
                yield f"{inner} is gone"
            else:
                yield from _values(before[name], now[name], is_unknown, inner)
    elif _are_names(before) and _are_names(now):
        yield from _names(before, now, path)
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _values(one, other, is_unknown, f"{path}.{number}")
    else:
        yield f"{path} was {_shown(before)}, is {_shown(now)}"


def _names(before: list[str], now: list[str], path: str) -> Iterator[str]:
    yield from (f"{path}.{name} is new" for name in now if name not in before)
    yield from (f"{path}.{name} is gone" for name in before if name not in now)
    if sorted(before) == sorted(now):
        yield f"{path} are in another order"


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _shown(value: object) -> str:
    text = "none" if value is None else str(value).removesuffix(_CLOSE)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _is_digest(value: str) -> bool:
    return len(value) == 64 and " " not in value


def _without_digest(value: str) -> str:
    """ "version 3, <digest>" as a person reads it; what stands for no digest is left as it is."""
    name, _, digest = value.partition(", ")
    return name if _is_digest(digest) else _shown(value)
