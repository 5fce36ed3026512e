"""`mlops reproduce USE_CASE N`: make a version again from its lineage, and say what differs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.commands.models import pick
from mlops_core.commands.output import print_json, say
from mlops_core.commands.subject import engines_for, model_named
from mlops_core.errors import BadInput, MlopsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.usecase import UseCase
    from mlops_core.reproduction import Reproduction
    from mlops_core.wiring import ConfiguredEngines

__all__ = ["add"]

_DIFFERS = 1
_SQLITE = "sqlite:///"


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser(
        "reproduce",
        help="make a version again from its lineage, and say what differs",
        description="Exit codes: 0 identical, 1 not identical, or failed; 2 bad input.",
    )
    parser.add_argument(
        "use_case", metavar="USE_CASE", help="such as churn; churn@3 and churn@production too"
    )
    parser.add_argument("version", nargs="?", metavar="VERSION", help="its number, or a stage")
    parser.add_argument(
        "--at-commit",
        action="store_true",
        help="by the code that made it: in a git worktree of the commit in its lineage",
    )
    parser.add_argument("--json", action="store_true", help="print the reproduction as JSON")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="leave what was made in this new folder")
    parser.set_defaults(command=_reproduce, log=logging.INFO)


def _reproduce(arguments: argparse.Namespace) -> int:
    from mlops_core.promotion import standing_of
    from mlops_core.reproduction import ended_in_order, told

    word, which = _asked(arguments)
    engines = engines_for(arguments)
    name = model_named(engines, word)
    version = pick(engines.registry.versions(name), standing_of(engines, name), name, which)
    with ended_in_order():
        found = _reproduced(arguments, word, version, engines)
    if arguments.json:
        print_json(found.model_dump(mode="json"))
    else:
        say(told(found))
    return 0 if found.verdict == "identical" else _DIFFERS


def _reproduced(
    arguments: argparse.Namespace, word: str, version: ModelVersion, engines: ConfiguredEngines
) -> Reproduction:
    from mlops_core.reproduction import reproduce, reproduce_at_commit

    if not arguments.at_commit:
        return reproduce(version, engines, today=_today(word, version), keep=arguments.keep)
    return reproduce_at_commit(
        version, engines.workspace, known_as=word, settings=_everywhere(), keep=arguments.keep
    )


def _asked(arguments: argparse.Namespace) -> tuple[str, str]:
    """The use case and which version: as two words, or as one with an @."""
    word, _, which = arguments.use_case.partition("@")
    if which and arguments.version is not None:
        raise BadInput(f"{arguments.use_case} names a version already: leave {arguments.version!r} out")
    which = which or arguments.version or ""
    if not which:
        raise BadInput(f"say which version: mlops reproduce {word} N, or {word}@production")
    return word, which


def _today(word: str, version: ModelVersion) -> UseCase | None:
    """The use case as it is now; None where it cannot be imported, or is another's of that name."""
    from mlops_core.usecases import find

    try:
        found = find(word)
    except MlopsError:
        return None
    return found if found.name == version.name else None


def _everywhere() -> dict[str, str]:
    """This machine's settings as environment variables that mean the same in any working directory."""
    from mlops_core.settings import Settings

    settings = Settings.load()
    paths = {"MLOPS_HOME": str(settings.home.absolute())}
    if settings.feast_python is not None:
        paths["MLOPS_FEAST_PYTHON"] = str(settings.feast_python.absolute())
    databases = {"MLOPS_TRACKING_URI": settings.tracking_uri, "MLOPS_LEDGER": settings.ledger}
    for variable, uri in databases.items():
        if uri is not None and uri.startswith(_SQLITE):
            paths[variable] = f"{_SQLITE}{Path(uri.removeprefix(_SQLITE)).absolute()}"
    return paths
