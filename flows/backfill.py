"""What models as of past days would have been, with Prefect: `python flows/backfill.py --help`."""

from __future__ import annotations

import sys
from typing import Any

if __name__ == "__main__":  # a run by hand chooses its server before Prefect reads its settings
    from flows import server

    server.start()

from prefect import flow

from flows.options import OPTIONS
from flows.parameters import typed_by, with_runner
from flows.runners import runner_of
from flows.tasks import walk_on_prefect
from mlops_core.parameters import BackfillParameters as Range
from mlops_core.parameters import data_of
from mlops_core.pipeline import build_backfill
from mlops_core.settings import Settings
from mlops_core.usecases import find
from mlops_core.wiring import ConfiguredEngines

BackfillParameters = with_runner(Range)


@flow(name="backfill", **OPTIONS)
@typed_by(BackfillParameters)
def backfill(given: Any) -> Any:
    """Train and judge models as of a range of past days; none is registered or served."""
    use_case, settings = find(given.use_case), Settings.load()
    data = data_of(use_case, {use_case.label.source: given.data} if given.data else {})
    dag = build_backfill(use_case, ConfiguredEngines(settings), data=data, as_of=[given.first, given.last])
    walk = walk_on_prefect(dag, runner=runner_of(given, settings))
    return walk.results


if __name__ == "__main__":
    from flows.shell import run_from_shell

    sys.exit(run_from_shell(backfill, BackfillParameters))
