"""The target serves what is in Production."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_of
from mlops_core.domain.ledger import Deployed, Draft
from mlops_core.domain.release import Bundle
from mlops_core.errors import IntegrityError, NotFound
from mlops_core.evidence import WRITTEN, consent_of, write_documents
from mlops_core.promotion.grounds import Grounds
from mlops_core.promotion.record import record, registered, standing_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.domain.standing import Standing
    from mlops_core.ports import Deployer, Engines

__all__ = ["content_of", "current_or_none", "in_place", "prepared", "serve", "served"]

_LOG = logging.getLogger(__name__)


def content_of(release: Release) -> str:
    """Digest of what a release serves, wherever it lies, whenever it was made and by which version of this.

    What is written for people when it is made is left out: a newer version draws it otherwise, which must not
    keep anybody from going back to what served. The decision that it tells of is in the digest.
    """
    what = release.model_dump(mode="json", exclude={"uri", "released_at"})
    what["files"] = {path: digest for path, digest in release.files.items() if path not in WRITTEN}
    return digest_of(what)


def in_place(deployer: Deployer, name: str, version: int, digest: str, content: str | None) -> Release | None:
    """The release of a version that lies ready and, where the ledger knows its `content`, has just that."""
    try:
        found = deployer.find(name, version, digest)
    except IntegrityError as error:
        _LOG.warning("%s; releasing it anew", error)
        return None
    if found is None or content in (None, content_of(found)):
        return found
    _LOG.warning("%s was changed since it served; releasing it anew", found.uri)
    return None


def prepared(
    engines: Engines, version: ModelVersion, content: str | None = None, *, waive: Collection[str] = ()
) -> Release:
    """The release of a version: the one in place, or one made from the registry's files and proved.

    `content` is that of what served by the ledger, where it did: only that is taken as it lies, for a release
    that was made to be tried may tell nothing of the consent that came since. The evidence that goes with it
    tells of the decision that it was promoted by or, where it was not yet, of the newest, `waive` being
    passed over.
    """
    served = content is not None
    grounds = Grounds.of(standing_of(engines, version.name), version.number, waive, served=served)
    found = in_place(engines.deployer, version.name, version.number, version.digest, content)
    same = found is not None and _made_of(found, version) and found.decision == grounds.digest
    if found is not None and same and served:
        return found
    with engines.workspace.scratch() as folder:
        engines.registry.fetch(version, folder)
        consent, waived = consent_of(grounds.request), grounds.waived
        write_documents(engines.reporter, folder, version, grounds.decision, consent, waived)
        return engines.deployer.prepare(
            Bundle(
                name=version.name,
                version=version.number,
                digest=version.digest,
                candidate=version.candidate,
                model_folder=str(folder),
                use_case=version.use_case,
                feature_names=version.feature_names,
                threshold=version.threshold,
                probes=version.probes,
                decision=grounds.digest,
            )
        )


def _made_of(release: Release, version: ModelVersion) -> bool:
    """Whether a release that lies ready serves the version as it is registered."""
    fields = ("candidate", "use_case", "feature_names", "threshold", "probes")
    return all(getattr(release, field) == getattr(version, field) for field in fields)


def serve(engines: Engines, name: str, *, actor: str, reason: str) -> Release:
    """Make the target serve the version in Production, and enter that in the ledger.

    Whoever promotes calls this afterwards. It looks at the ledger and not at what its caller promoted, and
    looks again when it is done: so the last one of any number that promote at once leaves the target right,
    and running it again mends what an interrupted one left. Raises `NotFound` when nothing is in Production.
    """
    with engines.workspace.lock(f"serve-{name}"):
        with engines.workspace.scratch():
            pass  # takes away what a killed attempt fetched: its release may be in place already
        while True:
            standing = standing_of(engines, name)
            release = _in_production(engines, standing)
            if current_or_none(engines.deployer, name) != release:
                engines.deployer.activate(release)
            after = _entered(engines, release, actor, reason)
            if after.production == release.version:
                return release


def served(engines: Engines, standing: Standing) -> Release | None:
    """The release by which the version in Production is served; None when `serve` has something to do."""
    if standing.production is None:
        return None
    found, last = _lying_ready(engines, standing, standing.production)[0], standing.last_served
    if found is None or last is None or current_or_none(engines.deployer, standing.name) != found:
        return None
    return found if (last.version, last.event) == (found.version, _deployed(found)) else None


def current_or_none(deployer: Deployer, name: str) -> Release | None:
    """What is served; None when nothing is, or nothing that can be trusted."""
    try:
        return deployer.current(name)
    except IntegrityError as error:
        _LOG.warning("%s; releasing it anew", error)
        return None


def _in_production(engines: Engines, standing: Standing) -> Release:
    number = standing.production
    if number is None:
        raise NotFound(
            f"no version of {standing.name} is in Production: `mlops run {standing.name}` delivers"
        )
    found, content = _lying_ready(engines, standing, number)
    return found or prepared(engines, registered(engines, standing.name, number), content)


def _lying_ready(engines: Engines, standing: Standing, number: int) -> tuple[Release | None, str | None]:
    """The release of a version in Production that can be served, and the content of what served of it."""
    events = [entry.event for entry in standing.served if entry.version == number]
    content = events[-1].content if events and isinstance(events[-1], Deployed) else None
    found = in_place(engines.deployer, standing.name, number, standing.models[number], content)
    return found, content


def _deployed(release: Release) -> Deployed:
    return Deployed(release=release.uri, content=content_of(release))


def _entered(engines: Engines, release: Release, actor: str, reason: str) -> Standing:
    event = _deployed(release)

    def wanted(standing: Standing) -> list[Draft]:
        last = standing.last_served
        same = last is not None and (last.version, last.event) == (release.version, event)
        if same or standing.production != release.version:
            return []
        version = release.version
        model = standing.models[version]
        return [Draft(version=version, model=model, event=event, actor=actor, reason=reason)]

    return record(engines.ledger, release.name, wanted)
