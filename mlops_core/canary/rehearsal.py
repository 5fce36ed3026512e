"""The canary of this machine's releases: a rehearsal, see the package.

Both releases are served aside and asked in turn about the same entities, so that what disturbs this machine
disturbs both. The state folder gains the version's release, as `mlops promote` would prepare it, and nothing
else changes.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from mlops_core.canary import judging
from mlops_core.canary.aside import Loaded, serving_aside
from mlops_core.canary.caller import Caller
from mlops_core.canary.result import Canary, Limits
from mlops_core.canary.sample import online_entities
from mlops_core.errors import IntegrityError, MlopsError, NotFound, Unavailable
from mlops_core.promotion import prepared, standing_of
from mlops_core.serving.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.gates import Check
    from mlops_core.domain.online import Key
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.ports import Engines, OnlineStore
    from mlops_core.serving.follower import ReleaseSource

__all__ = ["asked_aside", "check_online", "rehearsed", "rehearsed_serving"]

_WARM_UP = 10  # requests whose time is not taken: the first ones load what the later ones use


def rehearsed(
    engines: Engines, releases: ReleaseSource, version: ModelVersion, limits: Limits | None = None
) -> Canary:
    """Try a version out before its callers, beside the release that serves now.

    Raises `IntegrityError` when the model is not what was registered or cannot be proved, and `Unavailable`
    or `NotFound` when there is nobody online to ask about: all before anything is served.
    """
    release = prepared(engines, version)
    serving, without = _loaded_serving(releases, version)
    loaded = Loaded(release, releases.load(release))
    return _tried(engines, version, loaded, serving, without, limits or Limits(), ())


def rehearsed_serving(
    engines: Engines, releases: ReleaseSource, version: ModelVersion, limits: Limits | None = None
) -> Canary:
    """Ask the release that serves now, after a promotion: it must be this version, and answer as it should.

    The target itself is asked for its probes, and the release served aside for what callers ask. Beside it
    the one that served before is asked, where it still lies ready. Raises as `rehearsed` does, and `NotFound`
    when nothing serves.
    """
    release = releases.current(version.name)
    if release is None:
        raise NotFound(
            f"nothing of {version.name} serves yet: "
            f"`mlops promote {version.name} {version.number} --reason …`"
        )
    loaded = Loaded(release, releases.load(release))
    before, without = _loaded_before(engines, releases, release)
    first = (judging.served(release, version), judging.at_the_target(engines.deployer, release))
    return _tried(engines, version, loaded, before, without, limits or Limits(), first)


def asked_aside(
    loaded: Loaded, beside: Loaded | None, store: OnlineStore, ids: Sequence[Key], requests: int
) -> tuple[Caller, Caller | None, tuple[float, ...] | None]:
    """Serve one or two releases aside and ask each about the ids, again and again until `requests` are made.

    Returns who asked, with the answers, and the scores of the first one's probe rows.
    """
    with ExitStack() as stack:
        callers = []
        for one in (loaded, beside):
            if one is not None:
                port = stack.enter_context(serving_aside(one, store))
                callers.append(stack.enter_context(closing(Caller(port, one.release))))
        for position in range(_WARM_UP):
            for caller in callers:
                caller.warm_up(ids[position % len(ids)])
        for position in range(requests):
            for caller in callers:
                caller.predict(ids[position % len(ids)])
        scores = callers[0].probe()
    return callers[0], callers[1] if len(callers) > 1 else None, scores


def _tried(
    engines: Engines,
    version: ModelVersion,
    loaded: Loaded,
    beside: Loaded | None,
    without: str,
    limits: Limits,
    first: tuple[Check, ...],
) -> Canary:
    ids, as_of = online_entities(engines, version, limits.requests)
    check_online(loaded, engines.online, ids[0])
    caller, other, scores = asked_aside(loaded, beside, engines.online, ids, limits.requests)
    release = loaded.release
    return Canary(
        name=version.name,
        version=version.number,
        digest=version.digest,
        target=engines.deployer.status(version.name).target,
        release=release.uri,
        against=beside.release.version if beside else None,
        entities=len(ids),
        features_as_of=as_of,
        limits=limits,
        checks=(
            *first,
            judging.answers(caller),
            judging.probes(release, scores),
            judging.latency(caller, other, limits),
            judging.shifted(caller, other, limits, without),
        ),
    )


def check_online(loaded: Loaded, store: OnlineStore, key: Key) -> None:
    """Raise `Unavailable` where the online features are what is wrong, and not the release."""
    predictor = Predictor(release=loaded.release, model=loaded.model, store=store)
    try:
        predictor.predict_ids([key])
    except Unavailable:
        raise
    except MlopsError:
        return  # the release's own: it shows when it is asked


def _loaded_serving(releases: ReleaseSource, version: ModelVersion) -> tuple[Loaded | None, str]:
    """What serves now; None, and why, when there is nothing to compare with: that blocks no better one."""
    try:
        release = releases.current(version.name)
        if release is None:
            return None, "no version serves yet whose scores to compare with"
        if release.version == version.number:
            return None, "this version serves already"
        return Loaded(release, releases.load(release)), ""
    except IntegrityError as error:
        return None, f"what serves now cannot be loaded, so there is nothing to compare with: {error}"


def _loaded_before(engines: Engines, releases: ReleaseSource, release: Release) -> tuple[Loaded | None, str]:
    """What served before the release that serves; None, and why, when it does not lie ready."""
    standing = standing_of(engines, release.name)
    others = [entry for entry in standing.served if entry.version != release.version]
    if not others:
        return None, "no other version ever served whose scores to compare with"
    entry = others[-1]
    try:
        found = engines.deployer.find(release.name, entry.version, entry.model)
        if found is None:
            return None, f"the release of version {entry.version}, which served before, is not there any more"
        return Loaded(found, releases.load(found)), ""
    except IntegrityError as error:
        return None, f"what served before cannot be loaded, so there is nothing to compare with: {error}"
