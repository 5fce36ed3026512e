"""`mlops models compare`: a version beside the champion, or beside another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import one_line, print_json, print_table, say
from mlops_core.commands.subject import engines_for
from mlops_core.commands.versions import tell_decision
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    import argparse

    from mlops_core.comparison import Comparison
    from mlops_core.domain.standing import Standing

__all__ = ["add"]


def add(actions: Any) -> None:
    """Add the sub-command to those of `mlops models`."""
    parser = actions.add_parser("compare", help="a version beside the champion: figures, gate, what differs")
    parser.add_argument("reference", metavar="USE_CASE[@STAGE|@N]", help="e.g. churn@3; default: @production")
    parser.add_argument(
        "--with",
        dest="other",
        metavar="N|STAGE",
        help="another version, such as 2 or production; default: the one that the gate compared it with",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--markdown", action="store_true", help="print Markdown as GitHub shows it")
    shown.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_compare)


def _compare(arguments: argparse.Namespace) -> int:
    from mlops_core.commands.compare_page import to_markdown

    found, standing = _found(arguments)
    if arguments.json:
        print_json(found.model_dump(mode="json"))
    elif arguments.markdown:
        say(to_markdown(found, arguments.reference.rpartition("@")[0] or arguments.reference).rstrip())
    else:
        _tell(found, standing)
    return 0


def _found(arguments: argparse.Namespace) -> tuple[Comparison, Standing]:
    """Raises `NotFound` for a version that there is not, `BadInput` for one that is to be its own rival."""
    from mlops_core.commands.models import pick, referred
    from mlops_core.comparison import Comparison

    engines = engines_for(arguments)
    version, standing = referred(engines, arguments.reference)
    versions = engines.registry.versions(version.name)
    other = None
    if arguments.other is not None:
        other = pick(versions, standing, version.name, arguments.other)
        if other.number == version.number:
            raise BadInput(
                f"--with {arguments.other}: that is version {version.number} itself; name another, or leave "
                "it out for the champion that the gate compared it with"
            )
    return Comparison.of(version, standing, versions, other), standing


def _tell(found: Comparison, standing: Standing) -> None:
    from mlops_core.commands.compare_page import beside, figure, sides
    from mlops_core.domain.readable import column_of

    say(f"{found.name} {' beside '.join(sides(found))}")
    say(f"  {one_line(found.note)}\n")
    tell_decision(standing, found.subject.version)
    heads = ["", *sides(found), *(["gain, at worst"] if found.paired else [])]
    say("")
    print_table(heads, [[column_of(row.metric), *figure(row)][: len(heads)] for row in found.metrics])
    say("")
    print_table(["", *sides(found)], [[name, *map(one_line, cells)] for name, cells in beside(found)])
    if found.other is not None:
        say(f"\nWhat differs from version {found.other.version}:")
        for one in found.changes or ("nothing of what went into the two",):
            say(f"  {one_line(one)}")
