"""What is otherwise than when a version was made: by its lineage, part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.domain.digest import canonical, digest_of
from mlops_core.provenance import git_commit, libraries
from mlops_core.reproduction.reproduction import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.usecase import UseCase
    from mlops_core.provenance import Code
    from mlops_core.reproduction.reproduction import Part, SourceRead

__all__ = ["differences", "since_then"]


def differences(
    version: ModelVersion,
    use_case: UseCase,
    candidate: AnyCandidate,
    read: Sequence[SourceRead],
    code: Code,
    environment: Mapping[str, str],
    today: UseCase | None,
) -> list[Difference]:
    """Between the lineage and here. `use_case` and `candidate` are those kept with the version.

    `environment` is that of the fit which was just made; `today` helps to name a changed parameter.
    """
    lineage = version.lineage
    return [
        *(_data(one) for one in read if one.how != "stored"),
        *_pairs("definitions", {"digest": lineage.definitions}, {"digest": use_case.training_digest}),
        *_parameters(lineage.candidate, candidate, today),
        *_code(version, code),
        *_pairs("libraries", lineage.libraries, libraries()),
        *_pairs("environment", lineage.environment, environment),
        *_pairs("commit", _known(lineage.git_commit), _known(git_commit())),
    ]


def since_then(use_case: UseCase, today: UseCase | None, candidate: AnyCandidate) -> list[Difference]:
    """How today's definitions differ from those kept with a version, in what its model depends on."""
    if today is None:
        return []
    return list(
        _pairs("definitions", _flat(_decisive(use_case, candidate)), _flat(_decisive(today, candidate)))
    )


def _decisive(use_case: UseCase, candidate: AnyCandidate) -> dict[str, Any]:
    """What the model depends on; of the candidates, only the one that was chosen."""
    found = {one.name: one.model_dump(mode="json") for one in use_case.candidates}
    chosen = {candidate.name: found[candidate.name]} if candidate.name in found else {}
    return {**use_case.training_parts, "candidates": chosen, "metric": use_case.gate.metric}


def _data(read: SourceRead) -> Difference:
    when = f"what is held today, as known at {read.as_known_at:%Y-%m-%d %H:%M:%S} UTC"
    return Difference(part="data", name=read.source, then=read.digest, now=when)


def _parameters(digest: str, candidate: AnyCandidate, today: UseCase | None) -> Iterator[Difference]:
    """The kept specification against its digest in the lineage; by name, where today's has that digest."""
    if digest_of(candidate) == digest:
        return
    for other in today.candidates if today else ():
        if digest_of(other) == digest:
            then, now = (_flat(one.model_dump(mode="json"), candidate.name) for one in (other, candidate))
            yield from _pairs("parameters", then, now)
            return
    yield Difference(part="parameters", name=candidate.name, then=digest, now=digest_of(candidate))


def _code(version: ModelVersion, code: Code) -> Iterator[Difference]:
    """By definition where the version kept them; else the digest of all."""
    if version.code:
        yield from _pairs("code", version.code, code.all_parts)
    else:
        yield from _pairs("code", {"all of it": version.lineage.code}, {"all of it": code.whole})


def _pairs(part: Part, then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(then.keys() | now.keys()):
        if then.get(name) != now.get(name):
            yield Difference(part=part, name=name, then=then.get(name), now=now.get(name))


def _known(commit: str | None) -> dict[str, str]:
    return {} if commit is None else {"git": commit}


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """Every leaf of a JSON value by its path, such as "views.recent.features.orders.window"."""
    if isinstance(value, dict) and value:
        found: dict[str, str] = {}
        for key, inner in value.items():
            found |= _flat(inner, f"{name}.{key}" if name else str(key))
        return found
    return {name: value if isinstance(value, str) else canonical(value)}
