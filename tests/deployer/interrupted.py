"""Run by `test_interruption.py`, in a process of its own: interrupt prepare and activate at every step.

    python interrupted.py kill|refuse FOLDER

`kill` forks a child for each system call that changes what others see and kills it with SIGKILL just before
that call; `refuse` lets the call fail with ENOSPC instead. After each it asserts that nothing half-written
can be seen and that doing it again ends well. Prints how many steps were interrupted.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.release import Bundle, Probes
from mlops_core.errors import MlopsError
from tests.every_point import one_in

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = ("kill", "refuse")
STEPS = ("mkdir", "open", "fsync", "rename", "replace", "unlink", "rmdir")


def main(what: str, folder: Path) -> None:
    """Interrupt each step in turn until there is none left; in a sample each fault other steps."""
    home = folder / "home"
    first, second = (bundle(folder, version) for version in (1, 2))
    steady = LocalDeployer(home=home, trainer=MemoryTrainer())
    steady.activate(steady.prepare(first))
    for step in count(FAULTS.index(what) % one_in(4), one_in(4)):
        finished = killed(home, second, step) if what == "kill" else refused(home, second, step)
        current = steady.current("churn")
        assert current is not None, "the pointer is gone"
        assert current.version == 2 or not finished, "finished, and not served"
        steady.activate(steady.prepare(second))
        assert steady.current("churn") == steady.prepare(second)
        base = home / "releases" / "churn"
        names = sorted(path.name for path in base.iterdir())
        assert len(names) == 4, names  # lock, two releases, pointer
        if finished:
            sys.stdout.write(str(step))
            return
        back_to_first(steady, base, first, second)


def back_to_first(steady: LocalDeployer, base: Path, first: Bundle, second: Bundle) -> None:
    """The state before: only the first version is there, and served."""
    import shutil

    steady.activate(steady.prepare(first))
    shutil.rmtree(base / f"2-{second.digest[:12]}")


def killed(home: Path, target: Bundle, step: int) -> bool:
    """Deploy in a child that is killed at `step`; True when it had fewer steps."""
    child = os.fork()
    if child == 0:
        inject(step, lambda: os.kill(os.getpid(), signal.SIGKILL))
        deployer = LocalDeployer(home=home, trainer=MemoryTrainer())
        deployer.activate(deployer.prepare(target))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status == 0


def refused(home: Path, target: Bundle, step: int) -> bool:
    """Deploy with a disk that is full at `step`; True when there were fewer steps.

    A refused step may do no harm (making a folder that is there), but then the deployment is complete.
    """
    fired: list[int] = []
    restore = inject(step, lambda: no_space(fired))
    deployer = LocalDeployer(home=home, trainer=MemoryTrainer())
    try:
        deployer.activate(deployer.prepare(target))
        message = None
    except MlopsError as error:
        message = str(error)
    finally:
        restore()
    if message is None:
        assert deployer.current("churn") == deployer.prepare(target)
    else:
        assert "the disk is full" in message, message
        assert str(home) in message, message
    return not fired


def no_space(fired: list[int]) -> None:
    """What a full disk says."""
    fired.append(1)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def inject(step: int, fault: Callable[[], object]) -> Callable[[], None]:
    """Make the `step`-th of the following calls of `os` do `fault` first; returns how to undo that."""
    originals = {name: getattr(os, name) for name in STEPS}
    calls = count()

    def wrapped(original: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            if next(calls) == step:
                fault()
            return original(*arguments, **options)

        return call

    for name, original in originals.items():
        setattr(os, name, wrapped(original))

    def restore() -> None:
        for name, original in originals.items():
            setattr(os, name, original)

    return restore


def bundle(folder: Path, version: int) -> Bundle:
    """A model of one feature."""
    rows = np.array([[0.0], [1.0], [2.0], [3.0 + version]])
    model = MemoryTrainer().fit(LogisticRegression(), rows, np.array([0, 0, 1, 1], dtype=np.int8))
    (folder / f"model-{version}").mkdir()
    model.save(folder / f"model-{version}")
    return Bundle(
        name="churn",
        version=version,
        digest=model.digest(),
        candidate="logistic",
        model_folder=str(folder / f"model-{version}"),
        use_case="{}",
        feature_names=("orders",),
        threshold=0.5,
        probes=Probes(rows=((1.0,),), expected=tuple(model.predict(rows[1:2]).tolist())),
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
