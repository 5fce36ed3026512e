"""Run by `test_promotion_processes.py`: `python -m tests.live.promoter HOME NUMBER [full | read-only]`.

Promotes a version, which lies ready, when told to on its input, and says what came of it. `full` lets no file
grow beyond what it is, `read-only` takes away the rights of the superuser, whom no mode of a file hinders.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from mlops_core.domain.registry import ModelVersion
from mlops_core.errors import MlopsError
from mlops_core.promotion import promote, serve
from tests.live.on_disk import desk_on_disk
from tests.promotion.desk import NAME

_NOBODY = 65534
_SMALL = 8192  # bytes, less than the ledger has


def main(home: Path, number: str, hindrance: str = "") -> None:
    """Promote, once told to."""
    desk = desk_on_disk(home)
    version = ModelVersion.model_validate_json((home / f"version-{number}.json").read_bytes())
    print("ready", flush=True)  # noqa: T201 - how it answers
    sys.stdin.readline()
    if hindrance == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (_SMALL, _SMALL))
    if hindrance == "read-only" and os.geteuid() == 0:
        os.setuid(_NOBODY)
    try:
        promote(desk.engines, version, desk.policy, actor=number, reason="it passed")
        serve(desk.engines, NAME, actor=number, reason="it passed")
    except MlopsError as error:
        print(f"{type(error).__name__}: {error}")  # noqa: T201 - the same
    else:
        print("won")  # noqa: T201 - the same


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
