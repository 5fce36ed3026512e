"""Run by the tests as a process of its own: imports MLflow once, then forks children that are killed at work.

Usage: killed_children.py ACTION FOLDER [URL], with `submission.json` in FOLDER. Prints one JSON value.
Children are killed by SIGKILL, at every call of MLflow's client in turn or after a delay; what they leave is
then looked at and worked on by another child. The store is SQLite below a copy of FOLDER/start, or the server
at URL, where each trial has a model name of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient
from mlflow.store.tracking import sqlalchemy_store  # noqa: F401 - loaded once, not by every child
from pydantic import TypeAdapter

from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
from mlops_core.domain.ledger import Entry
from mlops_core.domain.registry import Submission
from mlops_core.domain.standing import Standing
from tests.every_point import one_in, sample
from tests.registry.life import Life

if TYPE_CHECKING:
    from collections.abc import Callable

DELAYS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
MANY = 100
HALF = 2  # of the calls, where not every one of them is tried
ENTRIES = TypeAdapter(list[Entry])


@dataclass(frozen=True)
class Place:
    """A store, a home folder and a name to register under."""

    home: Path
    url: str | None
    name: str = "churn"

    @property
    def registry(self) -> MlflowModelRegistry:
        return MlflowModelRegistry(tracking_uri=self.url, home=self.home)


@dataclass(frozen=True)
class Trials:
    """Where things are tried, and what is submitted there."""

    folder: Path
    url: str | None
    submission: Submission

    def place(self, label: object) -> Place:
        """A place of its own for each label, with nothing registered."""
        home = self.folder / f"home-{label}"
        if self.url is not None:
            return Place(home, self.url, f"churn-{label}")
        shutil.copytree(self.folder / "start", home)
        return Place(home, None)

    def register(self, place: Place, digest: str = "first") -> None:
        place.registry.register(self.submission.model_copy(update={"name": place.name, "digest": digest}))


def fork(work: Callable[[], object]) -> int:
    """Start a child that does the work; its exit code is 0 when that came to its end."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return child


def ended(child: int) -> bool:
    """Whether a child came to its end, as opposed to being killed; raises when its work failed."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"a child ended with {code}")
    return code == 0


def die_at_call(number: int) -> None:
    """Make this process kill itself when MLflow's client is called for the `number`-th time."""
    left = [number]

    def wrapped(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*arguments, **named)

        return call

    for name, method in list(vars(MlflowClient).items()):
        if callable(method) and not name.startswith("_"):
            setattr(MlflowClient, name, wrapped(method))


def doomed(number: int, work: Callable[[Place], object], place: Place) -> None:
    die_at_call(number)
    work(place)


def looked_at(place: Place) -> dict[str, Any]:
    """What is in a store under a name, and in the home folder."""
    client = MlflowClient(place.registry._location.uri, place.registry._location.uri)
    experiment = client.get_experiment_by_name(place.name)
    experiments = [experiment.experiment_id] if experiment else []
    models = client.search_logged_models(experiments) if experiments else []
    known = client.search_registered_models(f"name = '{place.name}'")
    return {
        "stages": {one.number: one.tags.get("stage") for one in place.registry.versions(place.name)},
        "versions": len(client.search_model_versions(f"name = '{place.name}'")),
        "aliases": {alias: int(number) for one in known for alias, number in one.aliases.items()},
        "ledger": [one.tags.get("mlops.ledger") for one in known],
        "runs": [run.info.status for run in client.search_runs(experiments)] if experiments else [],
        "models": [[str(one.status), one.tags.get("mlflow.modelVersions")] for one in models],
        "folders": sorted(path.name for path in place.home.glob("mlflow/*")),
    }


def look(place: Place) -> dict[str, Any]:
    """The same by a child, so that no connection of ours is handed down to others."""
    told = place.home.with_suffix(".json")
    ended(fork(lambda: told.write_text(json.dumps(looked_at(place)))))
    found: dict[str, Any] = json.loads(told.read_text())
    return found


def at_every_call(trials: Trials, begin: Callable[[Place], object], work: Callable[[Place], object]) -> Any:
    """Begin, do the work, killed at its first call, its second …, and then do it once more.

    Of the calls in a sample SQLite is tried the odd ones, the server the first and the even ones.
    """
    found = []
    for number in tried(1 if trials.url is None else 2):
        place = trials.place(number)
        ended(fork(partial(begin, place)))
        died = not ended(fork(partial(doomed, number, work, place)))
        after = look(place)
        ended(fork(partial(work, place)))
        found.append({"number": number, "died": died, "after": after, **look(place)})
        if not died:
            return found
    raise RuntimeError("the work has no end")


def tried(begin: int) -> list[int]:
    """The numbers of the calls at which to kill: the first, and those of the sample from `begin` on."""
    return sorted({1, *range(begin if one_in(HALF) > 1 else 1, MANY, one_in(HALF))})


def register(trials: Trials) -> Any:
    return at_every_call(trials, lambda place: place.home.mkdir(exist_ok=True), trials.register)


def live(place: Place) -> None:
    """Write a ledger: version 1 goes to Production; then 2 does, which was decided on and approved."""
    life = Life(place.name)
    first, second = place.registry.versions(place.name)
    life.promoted(first)
    life.decided(second)
    life.asked(second)
    life.answered(second, consent=True)
    life.promoted(second)
    (place.home / "ledger.json").write_bytes(ENTRIES.dump_json(list(life.standing.entries)))


def standing(place: Place, entries: int | None = None) -> Standing:
    """What the first entries of that ledger amount to, or all."""
    return Standing.of(place.name, ENTRIES.validate_json((place.home / "ledger.json").read_bytes())[:entries])


def follow(trials: Trials) -> Any:
    def begin(place: Place) -> None:
        trials.register(place)
        trials.register(place, "second")
        live(place)
        place.registry.follow(standing(place, entries=1))

    return at_every_call(trials, begin, lambda place: place.registry.follow(standing(place)))


def race(trials: Trials) -> dict[str, Any]:
    """Eight children register one model in a fresh store, at once; on a server from two homes."""
    homes = ["fresh", "fresh"] if trials.url is None else ["fresh", "other"]
    places = [Place(trials.folder / homes[number % 2], trials.url) for number in range(8)]
    children = [fork(partial(trials.register, place)) for place in places]
    return {"outcomes": [ended(child) for child in children], **look(places[0])}


def first_use(trials: Trials) -> list[dict[str, Any]]:
    """First registrations in fresh stores, killed after various times; then another."""
    found = []
    for delay in sample(DELAYS, HALF):
        place = Place(trials.folder / f"fresh-{delay}", None)
        child = fork(partial(trials.register, place))
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        died = not ended(child)
        ended(fork(partial(trials.register, place)))
        found.append({"died": died, "delay": delay, **look(place)})
    return found


def outrun(trials: Trials) -> list[dict[str, Any]]:
    """A child stops before it makes its version, another host makes it first; then the child goes on.

    It is killed at its first call after that, its second …; then it, or another host, does the same again.
    """
    found = []
    for number in range(1, MANY, one_in(3)):  # odd and even ones alike
        slow = trials.place(number)
        fast = Place(trials.folder / f"fast-{number}", slow.url, slow.name)
        child = fork(partial(_stopped, number, trials, slow))
        os.waitpid(child, os.WUNTRACED)
        ended(fork(partial(trials.register, fast)))
        os.kill(child, signal.SIGCONT)
        died = not ended(child)
        ended(fork(partial(trials.register, slow if number % 2 else fast)))
        if number % 2 == 0:
            ended(fork(partial(trials.register, slow)))
        found.append({"number": number, "died": died, **look(slow)})
        if not died:
            return found
    raise RuntimeError("the work has no end")


def _stopped(number: int, trials: Trials, place: Place) -> None:
    method = MlflowClient.create_model_version

    def stopping(*arguments: Any, **named: Any) -> Any:
        os.kill(os.getpid(), signal.SIGSTOP)
        made = method(*arguments, **named)
        die_at_call(number)
        return made

    MlflowClient.create_model_version = stopping  # this child's alone
    trials.register(place)


if __name__ == "__main__":
    action, folder, *url = sys.argv[1:]
    given = Submission.model_validate_json(Path(folder, "submission.json").read_text())
    actions: dict[str, Callable[[Trials], Any]] = {
        "register": register,
        "follow": follow,
        "race": race,
        "first_use": first_use,
        "outrun": outrun,
    }
    result = actions[action](Trials(Path(folder), url[0] if url else None, given))
    sys.stdout.write(json.dumps(result))
