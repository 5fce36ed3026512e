"""A reproduction in words, for a person at a terminal."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_core.reproduction.reproduction import (
        ChangedRows,
        Difference,
        Digest,
        Reproduction,
        SourceRead,
    )

__all__ = ["told"]

_MOST = 10  # differences of one part that are told by name; `--json` has all
_LONGEST = 90  # characters of a value
_SAYS = {
    "identical": "identical",
    "equivalent": "equivalent: digests differ, and no prediction does",
    "different": "different",
}


def told(found: Reproduction) -> str:
    """The verdict, what was compared, and what differs from then; a page at most."""
    by = f", by the code of commit {found.commit[:12]}" if found.commit else ""
    lines = [
        f"{found.model} version {found.version} ({found.candidate}), made again{by}: {_SAYS[found.verdict]}."
    ]
    lines += ["", *(f"  {name:<14}{text}" for name, text in _compared(found))]
    if found.differences:
        harmless = found.verdict == "identical"
        lines += ["", f"Not as it was then{', which made no difference' if harmless else ''}:"]
        lines += [f"  {line}" for line in _differing(found.differences, found.definitions_in_code)]
    if found.today:
        lines += ["", "Today's definitions are others; those kept with the version were used:"]
        lines += [f"  {line}" for line in _differing(found.today)]
    if found.notes:
        lines += ["", *(f"Note: {note}." for note in found.notes)]
    if found.verdict != "identical" and found.commit is None and _code_moved(found):
        lines += ["", f"By the code that made it: mlops reproduce {found.model} {found.version} --at-commit"]
    return "\n".join(lines)


def _compared(found: Reproduction) -> Iterator[tuple[str, str]]:
    for read in found.sources:
        yield "events", _read(read, f"as of {found.as_of:%Y-%m-%d}")
    for digest in found.digests:
        yield digest.name, _digest(digest)
        if digest.name == "training set" and not digest.equal:
            yield "", _rows(found.rows)
    then, now = found.threshold_then, found.threshold_now
    if now is not None and then == now:
        yield "threshold", f"{now:.6f}, identical"
    elif then != now:
        yield "threshold", f"differs: then {then!r}, now {now!r}"
    yield "probes", f"largest difference {found.probes:.3g}"
    if found.evaluation is None:
        yield "evaluation", f"not compared, the registered model cannot be loaded here: {found.unreadable}"
        return
    by = found.evaluation
    calls = "" if by.calls_changed is None else f"; {by.calls_changed:,} calls changed"
    yield (
        "evaluation",
        f"{by.rows:,} rows, largest difference {by.largest:.3g}, mean {by.mean:.3g}{calls}",
    )


def _read(read: SourceRead, as_of: str) -> str:
    if read.how == "stored":
        return f"{read.source}: version {read.number} of its history, {read.rows:,} rows, {as_of}"
    gone = f"version {read.number} of its history was compacted away" if read.number else "not in its history"
    then = f"as known at {read.as_known_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{read.source}: {gone}; read is what is held today, {then}, {as_of}"


def _digest(digest: Digest) -> str:
    if digest.equal:
        return f"{digest.now[:12]}, identical"
    return f"differs: then {digest.then[:12]}, now {digest.now[:12]}"


def _rows(rows: ChangedRows | None) -> str:
    if rows is None:
        return "its original rows are not in the state folder any more, so they cannot be compared"
    what = [f"{rows.changed:,} changed", f"{rows.gone:,} gone", f"{rows.new:,} new"]
    most = sorted(rows.columns.items(), key=lambda one: -one[1])
    columns = _few([f"{name} ({count:,})" for name, count in most])
    also = [f"without {_few(rows.gone_columns)}"] if rows.gone_columns else []
    also += [f"with {_few(rows.new_columns)} besides"] if rows.new_columns else []
    return f"of {rows.then:,} rows {', '.join(what)}" + "".join(f"; {one}" for one in [columns, *also] if one)


def _differing(differences: Sequence[Difference], definitions: int = 0) -> Iterator[str]:
    for part, group in groupby(differences, key=lambda one: one.part):
        found = list(group)
        for one in found[:_MOST]:
            yield f"{part:<12}  {_sentence(one)}"
        if len(found) > _MOST:
            had = f"; it had {definitions:,} definitions" if part == "code" and definitions else ""
            yield f"{part:<12}  … and {len(found) - _MOST:,} more{had} (--json)"


def _sentence(one: Difference) -> str:
    if one.then is None:
        return f"{one.name} is new" if one.part == "code" else f"{one.name}: then none, now {_cut(one.now)}"
    if one.now is None:
        return f"{one.name} is gone" if one.part == "code" else f"{one.name}: then {_cut(one.then)}, now none"
    if one.part == "code":
        return f"{one.name} changed"
    return f"{one.name}: then {_cut(one.then)}, now {_cut(one.now)}"


def _cut(text: str | None) -> str:
    line = " ".join((text or "").split())
    hexadecimal = len(line) >= 40 and all(sign in "0123456789abcdef" for sign in line.removesuffix("-dirty"))
    if hexadecimal:
        return line[:12] + ("-dirty" if line.endswith("-dirty") else "")
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def _code_moved(found: Reproduction) -> bool:
    parts = {one.part for one in found.differences}
    return "code" in parts and any(one.part == "commit" and one.then for one in found.differences)
