"""`mlops canary USE_CASE VERSION`: a version answers what callers ask, before any of them asks it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import one_line, print_json, print_table, say
from mlops_core.commands.outputs import add_outputs, write_outputs
from mlops_core.commands.subject import add_version, engines_for, model_named, version_of
from mlops_core.disk import translated
from mlops_core.errors import BadInput, NotFound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.canary import Canary, Limits
    from mlops_core.domain.release import Release

__all__ = ["add"]

_LIFTED = "none"


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser(
        "canary",
        help="serve a version aside and ask it what callers ask, before they do",
        description="A rehearsal: the version's release is served on a port that no caller knows, and asked "
        "by id and by rows, side by side with the release that serves now. No share of the callers' traffic "
        "goes to it. Exit code 0 when every check passed, 3 when one failed.",
    )
    add_version(parser)
    parser.add_argument(
        "--served",
        action="store_true",
        help="after a promotion: ask the release that serves now, which must be this version's",
    )
    parser.add_argument(
        "--manifest", metavar="FILE", help="with --served: write the manifest of what serves, release.json"
    )
    parser.add_argument("--requests", metavar="N", help="how many requests by id (default: 200)")
    parser.add_argument(
        "--max-shift",
        metavar="PSI",
        help="the most that scores may move from those of the release that serves, as population stability "
        "index (default: 0.5; none lifts it)",
    )
    parser.add_argument(
        "--max-latency-ms",
        metavar="MS",
        help="the most that 99 of 100 requests may take (default: 250; none lifts it)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_outputs(parser, "version, digest, verdict, failed, release, against")
    parser.set_defaults(command=_canary)


def _canary(arguments: argparse.Namespace) -> int:
    number, limits = version_of(arguments.version), _limits(arguments)
    if arguments.manifest is not None and not arguments.served:
        raise BadInput("--manifest is of what serves: give --served as well")
    from mlops_core.canary import rehearsed, rehearsed_serving
    from mlops_core.promotion import registered

    engines = engines_for(arguments)
    version = registered(engines, model_named(engines, arguments.use_case), number)
    tried = rehearsed_serving if arguments.served else rehearsed
    found = tried(engines, engines.releases, version, limits)
    write_outputs(arguments.outputs, _outputs(found))
    if arguments.manifest is not None:
        _keep_manifest(engines.releases.current(version.name), Path(arguments.manifest))
    if arguments.json:
        print_json({"verdict": found.verdict, **found.model_dump(mode="json")})
    else:
        _tell(found, served=arguments.served)
    return 3 if found.verdict == "failed" else 0


def _keep_manifest(release: Release | None, file: Path) -> None:
    """The bytes of release.json, whose digest is what vouches for all files of the release."""
    if release is None:
        raise NotFound("nothing serves any more, so there is no manifest to keep")
    with translated("write the manifest", file.parent):
        file.write_bytes(release.model_dump_json(indent=1).encode())


def _limits(arguments: argparse.Namespace) -> Limits:
    from mlops_core.canary.result import FEWEST_REQUESTS, MOST_REQUESTS, Limits

    given: dict[str, Any] = {}
    if arguments.requests is not None:
        word = arguments.requests
        number = int(word) if word.isascii() and word.isdecimal() else 0
        if not FEWEST_REQUESTS <= number <= MOST_REQUESTS:
            raise BadInput(
                f"--requests: give {FEWEST_REQUESTS} to {MOST_REQUESTS}, not {word!r}; the slowest of a "
                "hundred is looked at"
            )
        given["requests"] = number
    for flag, field in (("max_shift", "shift"), ("max_latency_ms", "latency_ms")):
        word = getattr(arguments, flag)
        if word is not None:
            given[field] = _limit(f"--{flag.replace('_', '-')}", word)
    return Limits(**given)


def _limit(flag: str, word: str) -> float | None:
    if word.casefold() == _LIFTED:
        return None
    try:
        limit = float(word)
    except ValueError:
        limit = 0.0
    if not 0 < limit < float("inf"):
        raise BadInput(f"{flag}: give a number above zero, or {_LIFTED} for no limit, not {word!r}")
    return limit


def _outputs(found: Canary) -> dict[str, str]:
    """What later steps of a workflow go by."""
    return {
        "version": str(found.version),
        "digest": found.digest,
        "verdict": found.verdict,
        "failed": ",".join(found.failed),
        "release": found.release,
        "against": "" if found.against is None else str(found.against),
    }


def _tell(found: Canary, *, served: bool) -> None:
    what = "as it serves" if served else "served aside"
    beside = f", beside version {found.against}" if found.against is not None else ""
    say(f"{found.name} {found.version} {found.verdict}: {what}{beside}")
    say(f"  release   {found.release}")
    say(f"  asked     about {found.entities:,} entities, features as of {found.features_as_of:%Y-%m-%d}\n")
    rows = [[check.name, check.outcome, one_line(check.sentence)] for check in found.checks]
    print_table(["check", "outcome", ""], rows)
