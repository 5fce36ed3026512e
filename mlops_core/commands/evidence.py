"""`mlops evidence USE_CASE@production`: what proves that a version may serve, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.commands.models import referred
from mlops_core.commands.output import one_line, say
from mlops_core.commands.subject import engines_for
from mlops_core.errors import BadInput, IntegrityError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.domain.standing import Standing
    from mlops_core.wiring import ConfiguredEngines

__all__ = ["add"]

_Pack = dict[str, bytes]
"""The page and its twin by their names."""


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser("evidence", help="the evidence pack of a version: one HTML file, one JSON file")
    parser.add_argument("reference", metavar="USE_CASE[@STAGE|@N]", help="e.g. churn@production, churn@3")
    parser.add_argument("--out", metavar="DIR", help="folder to write both to (default: the current one)")
    parser.add_argument("--json", action="store_true", help="print the JSON; writes no file unless --out is")
    parser.set_defaults(command=_evidence)


def _evidence(arguments: argparse.Namespace) -> int:
    from mlops_core.domain.evidence import Evidence
    from mlops_core.evidence import EVIDENCE_TWIN

    engines = engines_for(arguments)
    version, standing = referred(engines, arguments.reference)
    release = _released(engines, standing, version)
    pack = _made(engines, standing, version) if release is None else _copied(engines, release)
    out = arguments.out or ("" if arguments.json else ".")
    written = _write(pack, Path(out), version) if out else {}
    if arguments.json:
        say(pack[EVIDENCE_TWIN].decode())
        return 0
    say(one_line(Evidence.model_validate_json(pack[EVIDENCE_TWIN]).sentence))
    say("")
    where = f"of the release in {release.uri}" if release else "made anew: no release of it lies here"
    say(f"  evidence    {where}")
    for path, digest in written.items():
        say(f"  {digest}  {path}")
    return 0


def _released(engines: ConfiguredEngines, standing: Standing, version: ModelVersion) -> Release | None:
    """The release that lies ready, as it was made; None when there is none, or it has no evidence.

    Raises `IntegrityError` when its files are no longer those of its manifest, or this is not what served.
    """
    from mlops_core.domain.ledger import Deployed
    from mlops_core.evidence import DOCUMENTS, EVIDENCE_PAGE, EVIDENCE_TWIN
    from mlops_core.promotion import content_of

    release = engines.releases.find(version.name, version.number, version.digest)
    if release is None:
        return None
    events = [one.event for one in standing.served if one.version == version.number]
    if events and isinstance(events[-1], Deployed) and events[-1].content != content_of(release):
        raise IntegrityError(
            f"{release.uri}/release.json is not the manifest of what served by the ledger: "
            f"`mlops run {version.name}` releases anew what is in Production; the folder of another version "
            "can be removed: it is made again from the registry when it is needed"
        )
    has_both = {f"{DOCUMENTS}/{EVIDENCE_PAGE}", f"{DOCUMENTS}/{EVIDENCE_TWIN}"} <= release.files.keys()
    return release if has_both else None


def _copied(engines: ConfiguredEngines, release: Release) -> _Pack:
    from mlops_core.evidence import DOCUMENTS, EVIDENCE_PAGE, EVIDENCE_TWIN

    names = (EVIDENCE_PAGE, EVIDENCE_TWIN)
    return {name: engines.releases.file(release, f"{DOCUMENTS}/{name}") for name in names}


def _made(engines: ConfiguredEngines, standing: Standing, version: ModelVersion) -> _Pack:
    """What a release of the version would carry, were it made now; nothing is released."""
    from mlops_core.evidence import DOCUMENTS, EVIDENCE_PAGE, EVIDENCE_TWIN, consent_of, write_documents
    from mlops_core.promotion.grounds import Grounds

    grounds = Grounds.of(standing, version.number)
    with engines.workspace.scratch() as folder:
        engines.registry.fetch(version, folder)
        consent = consent_of(grounds.request)
        write_documents(engines.reporter, folder, version, grounds.decision, consent, grounds.waived)
        names = (EVIDENCE_PAGE, EVIDENCE_TWIN)
        return {name: (folder / DOCUMENTS / name).read_bytes() for name in names}


def _write(pack: _Pack, out: Path, version: ModelVersion) -> dict[Path, str]:
    """Write the files as `churn-3-evidence.html` and so on; their digests by path."""
    from mlops_core.disk import replace_file
    from mlops_core.domain.digest import digest_bytes

    if out.exists() and not out.is_dir():
        raise BadInput(f"--out {out} is a file: name a folder")
    written = {}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in pack.items():
            path = out / f"{version.name}-{version.number}-{name}"
            replace_file(path, content)
            written[path] = digest_bytes(content)
    except OSError as error:
        what = f"cannot write the evidence into {out}: {error.strerror}. Name another folder with --out"
        raise BadInput(what) from error
    return written
