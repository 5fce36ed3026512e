"""`mlops plan USE_CASE` and `mlops why USE_CASE.TASK`: what a run would do, without running it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import one_line, print_json, print_table, say
from mlops_core.commands.subject import options_of
from mlops_core.errors import BadInput, NotFound
from mlops_core.options import add_options
from mlops_core.parameters import DeliveryParameters, parameters_of
from mlops_core.validation import validated

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import datetime

    from mlops_core.planning import Plan, Planner, TaskPlan

__all__ = ["add"]

_LONGEST = 100  # signs of a sentence in the table; `mlops why` says all


def add(verbs: Any, words: Sequence[str]) -> None:
    """Add both verbs; the options are those of a run of the use case that `words` name."""
    plan = verbs.add_parser("plan", help="what a run would do, task by task, and how long it would take")
    plan.add_argument("use_case", metavar="USE_CASE", help="such as churn, or module:ATTRIBUTE")
    plan.set_defaults(command=_plan)
    why = verbs.add_parser("why", help="why a task would run or not: what changed since its last use")
    why.add_argument("subject", metavar="USE_CASE.TASK", help="such as churn.gate or churn.model_training")
    why.set_defaults(command=_why)
    for verb, parser in (("plan", plan), ("why", why)):
        parser.add_argument("--json", action="store_true", help="print JSON")
        add_options(parser, options_of(words, verb, lambda word: _parts(word)[0]))


def _parts(subject: str) -> tuple[str, str]:
    """Use case and task: "churn.gate", "my.module:CASE.model_training.logistic"."""
    module, colon, rest = subject.rpartition(":")
    name, _, task = rest.partition(".")
    return f"{module}{colon}{name}", task


def _planner(arguments: argparse.Namespace, word: str) -> Planner:
    from mlops_core.planning import Planner
    from mlops_core.settings import Settings
    from mlops_core.usecases import find
    from mlops_core.wiring import ConfiguredEngines

    use_case = find(word)
    given = {
        name: value for name, value in vars(arguments).items() if name in DeliveryParameters.model_fields
    }
    parameters = validated(parameters_of(use_case), given)
    engines = ConfiguredEngines(Settings.load(), reads_only=True)
    data = parameters.data_of(use_case)
    return Planner(parameters.applied_to(use_case), engines, data=data, as_of=parameters.as_of)


def _plan(arguments: argparse.Namespace) -> int:
    plan = _planner(arguments, arguments.use_case).plan()
    if arguments.json:
        print_json(plan.model_dump(mode="json"))
        return 0
    heads = ("task", "plan", "about", "why")
    print_table(
        heads,
        [
            (one.task, one.status, _time(one.seconds) if one.works else "-", one_line(one.why, _LONGEST))
            for one in plan.tasks
        ],
    )
    say(f"\n{_total(plan)}")
    return 0


def _total(plan: Plan) -> str:
    runs, depends, count = len(plan.of("run")), len(plan.of("depends")), len(plan.tasks)
    if not runs + depends:
        return f"Nothing runs: all {count} tasks are as they were."
    more = f", and {depends} may, by what comes out before" if depends else ""
    untimed = [one.task for one in plan.tasks if one.works and one.seconds is None]
    time = "no history says how long" if plan.seconds is None else f"{_time(plan.seconds)} in all"
    if untimed and plan.seconds is not None:
        time += f", without {', '.join(untimed)}: no history"
    return f"{runs} of {count} tasks run{more}: {time}."


def _why(arguments: argparse.Namespace) -> int:
    word, asked = _parts(arguments.subject)
    planner = _planner(arguments, word)
    names = _named(planner.tasks, word, asked)
    found = [one for one in planner.plan().tasks if one.task in names]
    if arguments.json:
        print_json([one.model_dump(mode="json") for one in found])
        return 0
    say("\n\n".join(_explained(word, one) for one in found))
    return 0


def _named(tasks: Sequence[str], word: str, asked: str) -> list[str]:
    """The tasks that are meant: one by its name, or all branches of a stage."""
    names = [one for one in tasks if one == asked or one.startswith(f"{asked}.")]
    if not asked:
        raise BadInput(f"say which task: {word}.{tasks[0]}, or one of {', '.join(tasks[1:])}")
    if not names:
        stages = list(dict.fromkeys(one.partition(".")[0] for one in tasks))
        close = get_close_matches(asked, [*tasks, *stages], n=1)
        hint = f"did you mean {word}.{close[0]}?" if close else f"there are {', '.join(tasks)}"
        raise NotFound(f"{word} has no task {asked!r}: {hint}")
    return names


def _explained(word: str, one: TaskPlan) -> str:
    lines = [f"{word}.{one.task}: {_VERDICTS[one.status]}"]
    if not (one.changes and one.why.startswith(one.changes[0])):
        lines.append(f"  why        {one.why}")
    if one.changes:
        lines += [f"  {'changed' if not n else '':9}  {change}" for n, change in enumerate(one.changes)]
    elif one.last_used is not None and one.status != "run":
        lines.append("  changed    nothing since its last use")
    if one.waits_for:
        lines.append(f"  waits for  {', '.join(one.waits_for)}")
    if one.output is not None:
        made = f", made {_moment(one.made_at)}" if one.made_at else ""
        lines.append(f"  output     {one.output}{made}{f' in {one.took:.1f} s' if one.took else ''}")
    lines.append(f"  last used  {_moment(one.last_used) if one.last_used else 'never'}")
    if one.works:
        lines.append(f"  takes      {_time(one.seconds)}")
    return "\n".join(lines)


_VERDICTS = {"run": "it runs", "reuse": "it is reused", "depends": "it depends"}


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "no history"
    if seconds < 0.1:
        return "under 0.1 s"
    if seconds < 90:
        return f"about {seconds:.{0 if seconds >= 10 else 1}f} s"
    return f"about {seconds / 60:.0f} min"
