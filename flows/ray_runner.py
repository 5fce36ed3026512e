"""Tasks on Ray: one on this machine for the length of a run, or a cluster that is there."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from prefect_ray import RayTaskRunner

from flows.cluster import ANSWER_SECONDS, sees, threads_each, workers_checked
from mlops_core.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ray_runner"]

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # reports to its makers
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what comes unless it is set; unset it warns of that
}
_AUTHENTICATION = {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}
_PROBE_SECONDS = 60  # a worker's process may have to be started for the question


def ray_runner(workers: int, address: str | None, home: Path) -> RayTaskRunner:
    """A runner at the address, else on a Ray of its own with so many processors.

    To enter it raises `Unavailable` when nobody answers at the address, `BadInput` when the address is none,
    the versions of Ray differ, or a node lacks this code or the state folder.
    """
    # Ray reads its environment when it is imported, which Prefect does when the runner is entered.
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if address:
        return _Elsewhere(address, home)
    if "ray._raylet" not in sys.modules and not _AUTHENTICATION & os.environ.keys():
        # Only this run knows the token, for its ports are open to all who have a login here. Ray would make
        # one for all runs, in the user's home.
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return _Ray(
        init_kwargs={
            "num_cpus": workers,
            "include_dashboard": False,
            "logging_level": logging.WARNING,
            "runtime_env": {"env_vars": threads_each(workers)},
        }
    )


class _Ray(RayTaskRunner):  # type: ignore[misc]  # its package is not typed
    """Without a word of Prefect's about how many nodes there are."""

    name = "ray"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.logger.setLevel(logging.WARNING)


class _Elsewhere(_Ray):
    """On a cluster that is there, which is looked at before it gets work."""

    def __init__(self, address: str, home: Path) -> None:
        super().__init__(address=address, init_kwargs={"logging_level": logging.WARNING})
        self._home = home

    def __enter__(self) -> Any:
        self._answers()
        name = f"Ray at {self.address}"
        try:
            entered = super().__enter__()
        except (
            RuntimeError,
            ValueError,
        ) as error:  # other versions of Ray or Python, no cluster, a bad token
            raise BadInput(f"{name} cannot be used: {error}") from error
        except OSError as error:
            raise Unavailable(f"{name} does not answer: {error}") from error
        try:
            workers_checked(name, self._home, self._ask)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return entered

    def duplicate(self) -> _Elsewhere:
        return _Elsewhere(str(self.address), self._home)

    def _answers(self) -> None:
        """Whether anybody listens, since Ray itself takes a minute or more to say no."""
        parts = urlsplit(self.address if "//" in self.address else f"//{self.address}")
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port:
            raise BadInput(f"MLOPS_RAY_ADDRESS: {self.address!r} is none; give one such as ray://HOST:10001")
        try:
            with closing(socket.create_connection((host, port), timeout=ANSWER_SECONDS)):
                pass
        except OSError as error:
            raise Unavailable(
                f"Ray at {self.address} does not answer ({error}): start it with "
                "`ray start --head`, or mend MLOPS_RAY_ADDRESS"
            ) from error

    def _ask(self, file: str) -> dict[str, bool | BaseException]:
        import ray as typed_too_narrowly
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ray: Any = typed_too_narrowly
        answers: dict[str, bool | BaseException] = {}
        for node in (one for one in ray.nodes() if one["Alive"]):
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            asked = ray.remote(num_cpus=0, scheduling_strategy=there, max_retries=0)(sees).remote(file)
            try:
                answers[node["NodeManagerAddress"]] = ray.get(asked, timeout=_PROBE_SECONDS)
            except ray.exceptions.RayError as error:
                answers[node["NodeManagerAddress"]] = error
        return answers
