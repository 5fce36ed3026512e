"""Serve the version that served before again: `python flows/rollback.py --help`."""

from __future__ import annotations

import logging
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
from flows.started import configured
from mlops_core.commands.output import say
from mlops_core.errors import MlopsError
from mlops_core.parameters import RollbackParameters
from mlops_core.promotion import roll_back, standing_of
from mlops_core.usecases import find

_LOG = logging.getLogger(__name__)


@flow(name="rollback", **OPTIONS)
@typed_by(RollbackParameters)
def rollback(given: RollbackParameters) -> Any:
    """Take the version in Production out of it, in favour of one that really served before."""
    name, engines = find(given.use_case).name, configured(given.actor, given.use_case)
    before = standing_of(engines, name).production
    release = roll_back(engines, name, to=given.to, actor=engines.actor, reason=given.reason)
    message = f"{name} version {release.version} is served again, as it was, in place of version {before}"
    if release.version == before:
        message = f"{name} version {before} is in Production already"
    try:
        engines.registry.follow(standing_of(engines, name))
    except MlopsError as error:  # may be what is down, and the rollback counts all the same
        message += f"; the registry does not show it yet ({error}): mend with mlops registry verify"
        _LOG.warning("%s", message)
    say(message)
    return Completed(message=message, data=release)


if __name__ == "__main__":
    from flows.shell import run_from_shell

    sys.exit(run_from_shell(rollback, RollbackParameters))
