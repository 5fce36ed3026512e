"""What a command on versions is about: which model, which version, who does it and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mlops_core.errors import BadInput, NotFound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from mlops_core.domain.usecase import UseCase
    from mlops_core.parameters import DeliveryParameters
    from mlops_core.wiring import ConfiguredEngines

__all__ = [
    "add_deed",
    "add_version",
    "engines_for",
    "model_named",
    "options_of",
    "reason_of",
    "use_case_named",
    "version_of",
]


def add_deed(parser: argparse.ArgumentParser) -> None:
    """Add the options of whatever the ledger keeps: why, and who."""
    # Not required as far as argparse goes: what it would say does not say why.
    parser.add_argument("--reason", metavar="TEXT", help="why, in a sentence; kept in the ledger (required)")
    parser.add_argument(
        "--actor", metavar="NAME", help="who does it; default: MLOPS_ACTOR, or the user of this process"
    )


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add a use case and the number of a version."""
    parser.add_argument("use_case", metavar="USE_CASE", help="such as churn, or module:ATTRIBUTE")
    parser.add_argument("version", metavar="VERSION", help="its number, as `mlops models list` shows it")


def engines_for(
    arguments: argparse.Namespace, *, delivery: Literal["here", "github"] | None = None
) -> ConfiguredEngines:
    """The engines of this machine's settings, used by the actor that was given, if one was.

    `delivery` is for a command that says itself who delivers.
    """
    from mlops_core.settings import Settings
    from mlops_core.wiring import ConfiguredEngines

    settings = Settings.load()
    if delivery is not None:
        settings = settings.model_copy(update={"delivery": delivery})
    actor: str | None = getattr(arguments, "actor", None)
    if actor is not None:
        if not actor.strip():
            raise BadInput("--actor is empty: say who does it; it is kept in the ledger")
        settings = settings.model_copy(update={"actor": actor.strip()})
    subject: str = getattr(arguments, "use_case", None) or ""  # `mlops approvals` may name none
    return ConfiguredEngines(settings, known_as=subject if ":" in subject else None)


def options_of(
    words: Sequence[str], verb: str, subject: Callable[[str], str] = str
) -> type[DeliveryParameters]:
    """What a run may be told of the use case that `words` name after `verb`, such as "run" or "task run".

    `subject` finds its name in the word. Of any use case where none is named that can be found: the command
    itself says so, after the other words have been looked at.
    """
    from mlops_core.parameters import DeliveryParameters, parameters_of
    from mlops_core.usecases import find

    before = verb.split()
    named = words[len(before) : len(before) + 1]
    if list(words[: len(before)]) == before and named and not named[0].startswith("-"):
        try:
            return parameters_of(find(subject(named[0])))
        except NotFound:
            pass
    return DeliveryParameters


def reason_of(arguments: argparse.Namespace) -> str:
    """Why. Raises `BadInput` when no reason was given."""
    reason: str = (arguments.reason or "").strip()
    if not reason:
        raise BadInput("say why with --reason 'a sentence'; it is kept in the ledger")
    return reason


def version_of(word: str) -> int:
    """The number of a version. Raises `BadInput` for anything else."""
    if not (word.isascii() and word.isdecimal()) or int(word) == 0:
        raise BadInput(f"{word!r} is no version: give its number, as `mlops models list` shows it")
    return int(word)


def model_named(engines: ConfiguredEngines, word: str) -> str:
    """The name of a model that the ledger knows, or of a use case.

    The ledger is asked first, so that a model can be looked at and rolled back where its definitions cannot
    be imported. Raises `NotFound`, naming what there is.
    """
    from mlops_core.usecases import find

    known = engines.ledger.names()
    if word in known:
        return word
    try:
        return find(word).name
    except NotFound as error:
        there = f" Models of the ledger, which can be named too: {', '.join(known)}." if known else ""
        raise NotFound(f"{error}{there}") from error


def use_case_named(engines: ConfiguredEngines, word: str) -> UseCase:
    """The use case, whose policy a promotion goes by. Raises `NotFound`."""
    from mlops_core.usecases import find

    try:
        return find(word)
    except NotFound as error:
        if word not in engines.ledger.names():
            raise
        raise NotFound(
            f"the ledger knows a model {word!r}, but its policy is in its definitions: "
            "name them as module:ATTRIBUTE, where the module can be imported"
        ) from error
