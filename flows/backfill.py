"""What models as of past days would have been, with Prefect: `python flows/backfill.py --help`."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":  # a run by hand chooses its server before Prefect reads its settings
    try:
        from flows import server
    except ImportError as error:
        sys.exit(
            f"{sys.argv[0]}: {error}: the project is not installed for {sys.executable}: pip install -e ."
        )
    server.start()

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.states import Completed, Failed

from flows.options import OPTIONS
from flows.parameters import typed_by, with_runner
from flows.past import best_and_worst, kept, past_of, table
from flows.runners import runner_of
from flows.tasks import walk_on_prefect
from mlops_core.commands.output import one_line, print_table, say
from mlops_core.errors import MlopsError
from mlops_core.parameters import BackfillParameters as Range
from mlops_core.pipeline import build_backfill
from mlops_core.settings import Settings
from mlops_core.usecases import find
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.past import Past
    from flows.tasks import Walk
    from mlops_core.domain.usecase import UseCase

BackfillParameters = with_runner(Range)
_LONGEST = 200  # characters of why a day failed, in a table


@flow(name="backfill", **OPTIONS)
@typed_by(BackfillParameters)
def backfill(given: Any) -> Any:
    """Train and judge models as of a range of past days; none is registered or served."""
    use_case, settings = given.applied_to(find(given.use_case)), Settings.load()
    engines = ConfiguredEngines(settings)
    dag = build_backfill(use_case, engines, data=given.data_of(use_case), as_of=given.days)
    before = kept(engines.workspace)
    walk = walk_on_prefect(dag, runner=runner_of(given, settings))
    if "events" in walk.errors:
        raise walk.errors["events"]
    after, metric = kept(engines.workspace), use_case.gate.metric
    lines = [past_of(day, metric, walk.results, before, after) for day in given.days]
    past, errors = tuple(one for one in lines if one is not None), _errors(walk)
    _show(
        use_case,
        table(
            past,
            {day: one_line(str(why), _LONGEST) for day, why in errors.items()},
            metric,
            str(engines.workspace.home),
        ),
    )
    return _state(use_case, given.days, past, errors)


def _errors(walk: Walk) -> dict[date, BaseException]:
    """What went wrong first, by the day that it happened to."""
    found: dict[date, BaseException] = {}
    for task, error in walk.errors.items():
        found.setdefault(date.fromisoformat(task.partition(".")[0]), error)
    return dict(sorted(found.items()))


def _show(use_case: UseCase, rows: list[dict[str, str]]) -> None:
    about = f"Models of {use_case.name} as of past days. None of them was registered or served."
    create_table_artifact(rows, key=f"{use_case.name.replace('_', '-')}-backfill", description=about)
    print_table(list(rows[0]), [list(row.values()) for row in rows])


def _state(
    use_case: UseCase, days: Sequence[date], past: tuple[Past, ...], errors: Mapping[date, BaseException]
) -> Any:
    found, many = sum(one.found for one in past), "1 day" if len(days) == 1 else f"{len(days):,} days"
    done = f"{len(past) - found:,} made, {found:,} found"
    best = best_and_worst(past, use_case.gate.metric)
    done += f"; {best}" if best else ""
    if not errors:
        message = f"{use_case.name}: {many} from {days[0]} to {days[-1]}: {done}"
        say(f"\n{message}")
        return Completed(message=message, data=past)
    first, why = next(iter(errors.items()))
    sentence = str(why).rstrip(".")
    message = f"{use_case.name}: {len(errors):,} of {many} failed, first {first}: {sentence} (others: {done})"
    return Failed(message=message, data=MlopsError(message))


if __name__ == "__main__":
    from flows.shell import run_from_shell

    sys.exit(run_from_shell(backfill, BackfillParameters))
