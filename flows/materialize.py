"""Refresh a feature store with Prefect, without training: `python flows/materialize.py --help`."""

from __future__ import annotations

import sys
from typing import Any

if __name__ == "__main__":  # a run by hand chooses its server before Prefect reads its settings
    try:
        from flows import server
    except ImportError as error:
        sys.exit(
            f"{sys.argv[0]}: {error}: the project is not installed for {sys.executable}: pip install -e ."
        )
    server.start()

from prefect import flow
from prefect.states import Completed

from flows.options import OPTIONS
from flows.parameters import typed_by
from flows.tasks import run_on_prefect
from mlops_core.commands.output import say
from mlops_core.parameters import RefreshParameters, data_of
from mlops_core.pipeline import build_refresh
from mlops_core.settings import Settings
from mlops_core.usecases import find
from mlops_core.wiring import ConfiguredEngines


@flow(name="materialize", **OPTIONS)
@typed_by(RefreshParameters)
def materialize(given: RefreshParameters) -> Any:
    """Bring events in and online values up to date, and prove that online equals offline."""
    use_case = find(given.use_case)
    data = data_of(use_case, {use_case.label.source: given.data} if given.data else {})
    engines = ConfiguredEngines(Settings.load())
    dag = build_refresh(use_case, engines, data=data, as_of=given.as_of, quarantine=given.quarantine)
    context = run_on_prefect(dag)
    refreshed, verified = context["feature_store"], context["feature_verification"]
    message = (
        f"{use_case.name}: {refreshed.online_rows:,} entities as of {refreshed.as_of:%Y-%m-%d}, "
        f"{verified.skipped or f'online equals offline for {verified.compared:,}'}"
    )
    say(message)
    return Completed(message=message, data=refreshed)


if __name__ == "__main__":
    from flows.shell import run_from_shell

    sys.exit(run_from_shell(materialize, RefreshParameters))
