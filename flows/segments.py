"""Deliver several use cases at once with Prefect, one a segment: `python flows/segments.py --help`."""

from __future__ import annotations

import sys
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
from prefect.states import Completed, Failed

from flows.delivery import REJECTED, concluded
from flows.options import OPTIONS
from flows.parameters import typed_by, with_runner
from flows.runners import runner_of
from flows.started import starter
from flows.tasks import walk_on_prefect
from mlops_core.commands.output import say
from mlops_core.dag import part_of, side_by_side
from mlops_core.delivery import Delivery
from mlops_core.errors import BadInput, MlopsError
from mlops_core.parameters import SegmentsParameters as Choice
from mlops_core.settings import Settings
from mlops_core.usecases import find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.tasks import Walk

SegmentsParameters = with_runner(Choice)


@flow(name="segments", **OPTIONS)
@typed_by(SegmentsParameters)
def segments(given: Any) -> Any:
    """Deliver several use cases at once, each by itself: one that fails leaves the others alone."""
    settings = Settings.load()
    deliveries = _deliveries(given.model_copy(update={"actor": starter(given.actor)}), settings)
    dag = side_by_side({name: one.dag for name, (_, one) in deliveries.items()})
    walk = walk_on_prefect(dag, runner=runner_of(given, settings))
    ended = {
        name: _ended(name, known_as, one, walk, fail_on_rejection=given.fail_on_rejection)
        for name, (known_as, one) in deliveries.items()
    }
    return _state(ended)


def _deliveries(given: Any, settings: Settings) -> dict[str, tuple[str, Delivery]]:
    """What `--use-cases` says and the delivery of each, by the use case's own name."""
    found: dict[str, tuple[str, Delivery]] = {}
    for known_as in dict.fromkeys(given.use_cases):
        use_case = find(known_as)
        if use_case.name in found:
            raise BadInput(
                f"--use-cases: {found[use_case.name][0]} and {known_as} are both called {use_case.name!r}: "
                "a segment has a name of its own"
            )
        try:
            one = Delivery(use_case, given.of(use_case), settings, known_as=known_as)
        except BadInput as error:
            raise BadInput(f"--use-cases: {known_as}: {error}") from error
        found[use_case.name] = (known_as, one)
    return found


def _ended(name: str, known_as: str, one: Delivery, walk: Walk, *, fail_on_rejection: bool) -> Any:
    """The state in which a delivery of its own would have ended."""
    for task, error in walk.errors.items():
        if task.startswith(f"{name}."):
            return Failed(message=f"{name}: {error}", data=error)
    try:
        context = part_of(name, walk.results)
        return concluded(one, context, known_as, fail_on_rejection=fail_on_rejection)
    except Exception as error:  # whatever it is, the other segments are still to be concluded
        return Failed(message=f"{name}: delivered, but not concluded: {error}", data=error)


def _state(ended: Mapping[str, Any]) -> Any:
    """A line for each; failed when one has, and rejected when that is all that is wrong."""
    lines = "\n".join(str(state.message) for state in ended.values())
    failed = [name for name, state in ended.items() if state.is_failed()]
    if not failed:
        say(f"\n{lines}")
        return Completed(message=lines, data={name: state.data for name, state in ended.items()})
    rejected = all(ended[name].name == REJECTED for name in failed)
    what = "were rejected" if rejected else "failed"
    message = f"{len(failed)} of {len(ended)} segments {what}: {', '.join(failed)}\n{lines}"
    say(f"\n{message}")
    return Failed(name=REJECTED if rejected else None, message=message, data=MlopsError(message))


if __name__ == "__main__":
    from flows.shell import run_from_shell

    sys.exit(run_from_shell(segments, SegmentsParameters))
