"""`mlops new NAME --events FILE …`: a use case, its flow, a deployment and a test, from a look at the data.

With `--json` the proposal is printed as one document (`mlops_core.scaffold.Proposal`): `name`, `events`,
`facts` (sentences on the data), `choices` (each with `option`, `values`, `why`, `alternatives` and whether it
was `given`), `labels` (how the label comes out at the training snapshots), `definitions` (the use case),
`left_out` (columns that no feature reads), `warnings`, `command` (which says all of it), and `files`: the
paths that were written, none where something is still to be agreed to (exit code 2).
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import print_json, say, warn
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from mlops_core.scaffold import Choice, Draft, Look, Place, Proposal

__all__ = ["add"]

_DEPLOYMENTS = "prefect.yaml"


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - as all verbs
    """Add the verb."""
    parser = verbs.add_parser("new", help="a use case of your own, proposed from a look at your data")
    parser.add_argument("name", metavar="NAME", help="of the use case, such as shop_churn")
    parser.add_argument(
        "--events",
        type=Path,
        metavar="FILE",
        required=True,
        help="Parquet or CSV: a file, a folder or a glob",
    )
    parser.add_argument("--key", nargs="+", metavar="COLUMN", help="whose events: one column or several")
    parser.add_argument("--time", metavar="COLUMN", help="when each event happened")
    parser.add_argument(
        "--created", metavar="COLUMN", help="when each event was recorded, where that differs"
    )
    parser.add_argument("--no-created", action="store_true", help="events are known the moment they happen")
    parser.add_argument(
        "--predict", metavar="churn|sum:COLUMN", help="who will have no event, or how much of a column"
    )
    parser.add_argument("--horizon", metavar="DAYS", help="how many days ahead")
    parser.add_argument(
        "--into", type=Path, default=Path(), metavar="FOLDER", help="where to write; else here"
    )
    parser.add_argument("--yes", action="store_true", help="take everything that is proposed")
    parser.add_argument("--json", action="store_true", help="print the proposal as JSON")
    parser.set_defaults(command=_new)


def _new(arguments: argparse.Namespace) -> int:
    from mlops_core.scaffold import Place, Told, horizon_from, is_checkout, propose
    from mlops_core.settings import Settings
    from mlops_core.wiring import ConfiguredEngines

    place = Place(arguments.name, arguments.into, is_checkout(arguments.into))
    _check_free(place)
    told = Told(
        key=arguments.key,
        time=arguments.time,
        created=arguments.created,
        no_created=arguments.no_created,
        predict=arguments.predict,
        horizon=None if arguments.horizon is None else horizon_from(arguments.horizon),
    )
    if told.created is not None and told.no_created:
        raise BadInput("--created and --no-created: give one of them")
    engines = ConfiguredEngines(Settings.load(), reads_only=True)
    look = _look(engines, arguments.events)
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not (arguments.yes or arguments.json)
    if asks:
        arguments.display.end()  # the terminal is the questions'
        _show_columns(look)
    agree = _ask if asks else (lambda choice, _: choice)
    with tempfile.TemporaryDirectory(prefix="mlops-new-") as folder:
        proposal, draft = propose(arguments.name, look, told, engines.offline, Path(folder), agree=agree)
    return _concluded(arguments, place, look, proposal, draft)


def _show_columns(look: Look) -> None:
    """What a person has to see before the questions; the proposal says it again with all that follows."""
    say(f"{look.path}: {look.rows:,} rows\n")
    for one in look.columns.values():
        say(f"  {one.name}: {one}")


def _check_free(place: Place) -> None:
    """Refuse a name that is taken, and files that are there. Raises `BadInput`."""
    from mlops_core import usecases
    from mlops_core.scaffold import check_name

    known = {one.name for one in iter_modules(usecases.__path__)}
    paths = [place.module, place.flow, f"tests/test_{place.name}.py"]
    there = [str(place.folder / one) for one in paths if (place.folder / one).exists()]
    if there:
        raise BadInput(
            f"{', '.join(there)}: there already, and nothing is overwritten: choose another name or --into"
        )
    check_name(place.name, known=known)


def _look(engines: Any, path: Path) -> Look:
    from mlops_core.scaffold import Look

    table, kinds = engines.first_look(path, "--events")
    return Look(path, table, kinds)


def _concluded(
    arguments: argparse.Namespace, place: Place, look: Look, proposal: Proposal, draft: Draft
) -> int:
    missing = [one for one in proposal.open if not arguments.yes]
    files = {} if missing else _files(place, look, draft)
    if not arguments.json:
        _show(proposal)
    if missing:
        if not arguments.json:
            from mlops_core.scaffold.files import module_text

            say(f"\nDefinitions that would be written to {place.module}:\n\n{module_text(draft, place)}")
        else:
            print_json({**proposal.model_dump(mode="json"), "files": []})
        options = ", ".join(one.option for one in missing)
        raise BadInput(
            f"{options}: proposed, not said, and nothing was written; "
            f"where you agree: {_command(arguments, proposal)}"
        )
    written = _write(place.folder, files)
    if arguments.json:
        print_json({**proposal.model_dump(mode="json"), "files": written})
    else:
        _next(place, written)
    return 0


def _command(arguments: argparse.Namespace, proposal: Proposal) -> str:
    into = "" if arguments.into == Path() else f" --into {arguments.into}"
    return proposal.command + into


def _files(place: Place, look: Look, draft: Draft) -> dict[str, str]:
    """Every file by its path below the folder; prefect.yaml where it is new or can have one more entry."""
    from mlops_core.commands.export import exported
    from mlops_core.exporters.prefect import to_prefect
    from mlops_core.scaffold import with_entry

    made = exported(draft.use_case, known_as=place.known_as)
    prefect = to_prefect(made.document, made.form)
    texts = place.texts(draft, look, prefect)
    there = place.folder / _DEPLOYMENTS
    if not there.exists():
        return {**texts, _DEPLOYMENTS: prefect.deployment}
    before = there.read_text("utf-8")
    entry = place.entry(prefect, before)
    after = with_entry(before, entry)
    if after is None:
        warn(f"{there}: it was left as it is, and needs this among its deployments:\n{entry}")
        return texts
    return {**texts, _DEPLOYMENTS: after}


def _write(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Write all files or, where one fails, none; returns their paths."""
    from mlops_core.disk import replace_file, translated

    before = {name: (folder / name).read_bytes() if (folder / name).exists() else None for name in texts}
    done: list[str] = []
    with translated("write a use case", folder):
        try:
            for name, text in texts.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                done.append(name)
                replace_file(folder / name, text.encode())
        except BaseException:
            for name in done:
                old = before[name]
                with suppress(OSError):
                    if old is None:
                        (folder / name).unlink(missing_ok=True)
                    else:
                        replace_file(folder / name, old)
            raise
    return [str(folder / name) for name in texts]


def _show(proposal: Proposal) -> None:
    say(f"{proposal.events}: what is there\n")
    for fact in proposal.facts:
        say(f"  {fact}")
    say("\nWhat has to be said\n")
    for one in proposal.choices:
        said = " ".join(one.words)
        say(f"  {said}{'' if one.given else '   proposed'}: {one.why}")
        for other in one.alternatives:
            say(f"      or {other}")
    labels, sums = proposal.labels, proposal.definitions["label"]["kind"] != "no_event_within"
    mean = (
        f"{labels.mean:,.2f} on average, {labels.zeros:.1%} are 0" if sums else f"{labels.mean:.1%} positive"
    )
    say(
        f"\nThe label: {mean}, of {labels.rows:,} training rows at {labels.fit_snapshots} snapshots to fit "
        f"on and those up to {labels.validation:%Y-%m-%d}. The gate judges {labels.evaluation_rows:,} rows "
        f"of {labels.evaluation:%Y-%m-%d}, whose labels were not looked at.\n"
    )
    gate = proposal.definitions["gate"]
    say(
        f"The gate: {gate['metric']} of at least {gate['floor']:g}, which a constant cannot reach. That is "
        "no standard yet: set the floor to what a model must reach to be worth using."
    )
    for one_left in proposal.left_out:
        say(f"Not read: {one_left}")
    for warning in proposal.warnings:
        say(f"Look at this: {warning}")


def _next(place: Place, written: Sequence[str]) -> None:
    say("\nWritten: " + ", ".join(written))
    here = "" if place.folder == Path() else f"cd {place.folder}; "
    say(
        f"\nNext: {here}read {place.module} and set the gate's floor\n"
        f"  mlops run {place.known_as}\n"
        f"  pytest tests/test_{place.name}.py\n"
        f"  python {place.flow}\n"
        "  prefect --no-prompt deploy --all   # beside a server and a worker: docs/prefect.md"
    )


def _ask(choice: Choice, again: Callable[[str], Choice]) -> Choice:
    """A person at the terminal takes the proposal or says otherwise, as often as it takes."""
    say(f"\n{' '.join(choice.words)}: {choice.why}")
    for other in choice.alternatives:
        say(f"    or {other}")
    while True:
        try:
            word = input(f"{choice.option} [Enter: {' '.join(choice.values) or 'none'}] ").strip()
        except EOFError:
            raise BadInput(f"{choice.option}: nobody answered, and nothing was written") from None
        if not word:
            return choice.model_copy(update={"given": True})
        try:
            return again(word)
        except BadInput as error:
            warn(str(error))
