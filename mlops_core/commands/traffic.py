"""`mlops traffic USE_CASE`: who answers its callers, and a share of them for a version on trial."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import print_json
from mlops_core.commands.subject import (
    add_deed,
    engines_for,
    model_named,
    reason_of,
    use_case_named,
    version_of,
)
from mlops_core.commands.trials import facts_of_traffic, tell_traffic
from mlops_core.errors import BadInput, NotFound, Unavailable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.traffic import Bounds
    from mlops_core.wiring import ConfiguredEngines

__all__ = ["add"]

_LIFTED = "none"
_BOUNDS = {"max_errors": "error_rate", "max_latency_ms": "latency_ms", "max_shift": "shift"}
_SOON, _SELDOM = 0.2, 5.0  # seconds between two looks while waiting


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser(
        "traffic",
        help="who answers callers; give a version a share of them, or end that",
        description="Without VERSION it shows who answers callers. With it, that one answers --percent of "
        "them until --end or a promotion. Beyond its bounds the target takes it back by itself: exit code 3 "
        "when --wait sees that.",
    )
    parser.add_argument("use_case", metavar="USE_CASE", help="such as churn; or a model's name")
    parser.add_argument("version", nargs="?", metavar="VERSION", help="a version to try on callers")
    parser.add_argument("--percent", metavar="N", help="how much of the requests it answers, 1 to 99")
    parser.add_argument(
        "--shadow", action="store_true", help="ask it beside what serves, whose answers callers get"
    )
    parser.add_argument("--end", action="store_true", help="end the trial: what serves answers everything")
    bounds = (
        ("--max-errors", "SHARE", "the most of its requests that may fail (default: 0.01; none lifts it)"),
        ("--max-latency-ms", "MS", "the most that 99 of 100 requests may take (default: 250; none lifts it)"),
        (
            "--max-shift",
            "PSI",
            "the most that its scores may differ from those of what serves, as population stability index "
            "(default: 0.5; none lifts it)",
        ),
    )
    for flag, what, told in bounds:
        parser.add_argument(flag, metavar=what, help=told)
    parser.add_argument("--wait", metavar="SECONDS", help="wait as long for the trial to end")
    parser.add_argument("--requests", metavar="N", help="with --wait: or until it was given so many requests")
    add_deed(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_traffic)


def _traffic(arguments: argparse.Namespace) -> int:
    _check_words(arguments)
    seconds, requests = _number(arguments, "wait"), _number(arguments, "requests")
    if arguments.version is not None:
        engines, name = _share(arguments)
    else:
        engines = engines_for(arguments)
        name = model_named(engines, arguments.use_case)
        if arguments.end:
            _end(engines, name, reason_of(arguments))
    code = 0 if seconds is None else _wait(engines, name, seconds, requests)
    from mlops_core.promotion import settled

    standing, status = settled(engines, name), engines.deployer.status(name)
    if arguments.json:
        print_json(facts_of_traffic(standing, status))
    else:
        tell_traffic(standing, status)
    return code


def _share(arguments: argparse.Namespace) -> tuple[ConfiguredEngines, str]:
    number, percent, bounds = version_of(arguments.version), _percent(arguments), _bounds(arguments)
    reason = reason_of(arguments)
    from mlops_core.promotion import registered, share

    engines = engines_for(arguments)
    use_case = use_case_named(engines, arguments.use_case)
    share(
        engines,
        registered(engines, use_case.name, number),
        use_case.gate,
        percent=percent,
        shadow=arguments.shadow,
        bounds=bounds,
        actor=engines.actor,
        reason=reason,
        named=True,
    )
    return engines, use_case.name


def _end(engines: ConfiguredEngines, name: str, reason: str) -> None:
    from mlops_core.promotion import withdraw

    withdraw(engines, name, actor=engines.actor, reason=reason)


def _wait(engines: ConfiguredEngines, name: str, seconds: float, requests: float | None) -> int:
    """3 when the version on trial is taken back, 0 when the trial ends otherwise or goes on for so long.

    Raises `NotFound` when there is no trial, `Unavailable` when it was not given so many requests in time.
    """
    until, pause = time.monotonic() + seconds, _SOON
    share = engines.deployer.status(name).share
    if share is None:
        raise NotFound(f"no version of {name} is on trial, so there is nothing to wait for: see VERSION")
    while share is not None and share.ended is None:
        if requests is not None and (share.requests or 0) >= requests:
            return 0
        if time.monotonic() >= until:
            break
        time.sleep(min(pause, max(0.0, until - time.monotonic())))
        pause = min(_SELDOM, pause * 1.5)
        share = engines.deployer.status(name).share
    if share is None:
        return 0
    if share.ended is not None:
        return 3
    if requests is not None:
        given = f"{share.requests:,}" if share.requests is not None else "an unknown number of"
        raise Unavailable(
            f"{name} version {share.version} was given {given} requests in {seconds:g} s and not "
            f"{requests:,.0f}: it stays on trial; wait longer, or give it more with --percent"
        )
    return 0


def _check_words(arguments: argparse.Namespace) -> None:
    """Raise `BadInput` for words that do not go together."""
    sharing = [f"--{flag.replace('_', '-')}" for flag in ("percent", *_BOUNDS) if getattr(arguments, flag)]
    sharing += ["--shadow"] if arguments.shadow else []
    if arguments.version is not None and arguments.end:
        raise BadInput("--end ends the one trial there is: leave VERSION out")
    if arguments.version is None and sharing:
        raise BadInput(f"{sharing[0]} says how a version is tried: name it, as `mlops models list` shows it")
    if arguments.end and arguments.wait is not None:
        raise BadInput("--wait is for a trial that goes on: leave it out with --end")
    if arguments.requests is not None and arguments.wait is None:
        raise BadInput("--requests says how long to wait at most: give --wait SECONDS as well")
    if arguments.reason is not None and arguments.version is None and not arguments.end:
        raise BadInput("--reason is for what is done: name a VERSION to try, or --end the trial")


def _percent(arguments: argparse.Namespace) -> int:
    most, word = 100 if arguments.shadow else 99, arguments.percent
    if word is None:
        raise BadInput(f"say how much of the requests it is given, with --percent 1 to {most}")
    percent = int(word) if word.isascii() and word.isdecimal() else 0
    if not 1 <= percent <= most:
        raise BadInput(f"--percent: give a whole number from 1 to {most}, not {word!r}")
    return percent


def _bounds(arguments: argparse.Namespace) -> Bounds:
    from mlops_core.domain.traffic import Bounds

    given: dict[str, Any] = {}
    for flag, field in _BOUNDS.items():
        word = getattr(arguments, flag)
        if word is None:
            continue
        given[field] = None if word.casefold() == _LIFTED else _float(word)
        low, high = (0.0, 1.0) if field == "error_rate" else (1e-9, float("inf"))
        value = given[field]
        if value is not None and not low <= value < high:
            expected = "from 0 to below 1" if field == "error_rate" else "above zero"
            option = f"--{flag.replace('_', '-')}"
            raise BadInput(f"{option}: give a number {expected}, or {_LIFTED} for no bound, not {word!r}")
    return Bounds(**given)


def _number(arguments: argparse.Namespace, flag: str) -> float | None:
    word = getattr(arguments, flag)
    if word is None:
        return None
    number = _float(word)
    if not 0 < number < float("inf"):
        raise BadInput(f"--{flag}: give a number above zero, not {word!r}")
    return number


def _float(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return float("nan")  # no bound holds of it
