"""One row over HTTP: our server beside a bare FastAPI echo, `mlflow models serve` and MLServer.

Run from the repository's root, where nothing else runs; wrk sends the requests (`apt-get install wrk`)::

    python -m benchmarks.serving        # about four minutes

Every contender is one server process on the loopback with its own defaults, ours writing its access log.
All have the same fitted model, and all answers are compared with scikit-learn's before anything is timed.
They take turns, for `--seconds` each, `--rounds` times, over 1 connection and over 8. Figures are medians of
the rounds, with the least and the greatest; ratios are medians of the rounds' ratios. The echo reads the same
body as JSON and writes it back: what FastAPI and uvicorn take for nothing.

MLflow's and MLServer's environments are found in MLFLOW_PYTHON and MLSERVER_PYTHON, or made by
`python -m mlops_core.adapters.registry.mlflow_server_environment FOLDER` and
`python -m benchmarks.mlserver_environment FOLDER`; who is missing is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.mlserver_environment import MLSERVER
from benchmarks.serving_contenders import ROOT, Delivery
from mlops_core.adapters.registry.mlflow_server_environment import MLFLOW_SERVER
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.serving_contenders import Contender, Target
    from mlops_core.adapters.own_environment import OwnEnvironment

__all__ = ["CANDIDATES", "Load", "main", "table"]

CANDIDATES = {"boosting": "gradient boosting, 150 trees", "logistic": "logistic regression, 90 terms"}
CONNECTIONS = (1, 8)
ECHO = "FastAPI echo"
WARM_UP = 1.0  # seconds
START = 120.0  # seconds
_LIBRARIES = ("fastapi", "uvicorn", "pydantic", "scikit-learn", "numpy")
_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[%s]==]
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('{"p50": %%d, "p99": %%d, "requests": %%d, "duration": %%d, "failed": %%d}\\n',
    latency:percentile(50), latency:percentile(99), summary.requests, summary.duration,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


class Load(NamedTuple):
    """What one turn gave: milliseconds of a request, requests a second."""

    p50: float
    p99: float
    rate: float


Found = dict[int, dict[str, list[Load]]]  # by connections, then contender


def measure(contenders: Sequence[Contender], expected: float, rounds: int, seconds: float) -> Found:
    """The turns of all contenders, which are running together and idle but for the one whose turn it is."""
    found: Found = {connections: {} for connections in CONNECTIONS}
    with tempfile.TemporaryDirectory(prefix="wrk-") as folder, ExitStack() as stack:
        for number, one in enumerate(contenders):
            stack.enter_context(_running(one, Path(folder, f"{number}.log")))
        targets = [(name, one, target) for one in contenders for name, target in one.targets.items()]
        for _, one, target in targets:
            _check(one, target, expected)
            _loaded(one, target, Path(folder), 8, WARM_UP)
        for turn in range(rounds):
            print(f"round {turn + 1} of {rounds}", file=sys.stderr)
            for connections in CONNECTIONS:
                for name, one, target in targets:
                    load = _loaded(one, target, Path(folder), connections, seconds)
                    found[connections].setdefault(name, []).append(load)
    return found


def table(title: str, found: Mapping[str, Sequence[Load]]) -> list[str]:
    """Lines of Markdown: a line a contender, the last columns over the echo's and over ours."""
    lines = [
        f"| {title} | p50, ms | from, to | p99, ms | from, to | a second | p50 / echo | p50 / ours |",
        "| --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    base, ours = found[ECHO], next(iter(found.values()))
    for name, loads in found.items():
        cells = [*_spread([one.p50 for one in loads]), *_spread([one.p99 for one in loads])]
        cells.append(f"{median(one.rate for one in loads):,.0f}")
        cells += [f"{_ratio(loads, other):.2f}" for other in (base, ours)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _ratio(loads: Sequence[Load], others: Sequence[Load]) -> float:
    """The median of the rounds' ratios: both sides of each were measured within seconds of each other."""
    return median(one.p50 / other.p50 for one, other in zip(loads, others, strict=True))


def _spread(values: Sequence[float]) -> tuple[str, str]:
    return f"{median(values):.2f}", f"{min(values):.2f}, {max(values):.2f}"


@contextmanager
def _running(contender: Contender, log: Path) -> Iterator[None]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLOPS_", "MLFLOW_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - ours
            contender.words,
            env={**kept, **contender.environment},
            stdout=output,
            stderr=output,
            cwd=log.parent,
        )
    try:
        until = time.monotonic() + START
        while not _answers(contender):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{shlex.join(contender.words)} does not answer:\n{log.read_text()[-4000:]}")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _answers(contender: Contender) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{contender.port}{contender.ready}", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _check(contender: Contender, target: Target, expected: float) -> None:
    """A contender that answers something else is no contender."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{contender.port}{target.path}",
        json.dumps(target.body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
        found = target.probability(json.load(response))
    if found is not None and abs(found - expected) > 1e-9:
        raise SystemExit(f"{contender.words[-3:]} answered {found}, scikit-learn {expected}")


def _loaded(contender: Contender, target: Target, folder: Path, connections: int, seconds: float) -> Load:
    script = folder / "load.lua"
    script.write_text(_SCRIPT % json.dumps(target.body))
    url = f"http://127.0.0.1:{contender.port}{target.path}"
    words = ["wrk", "-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "-s", str(script), url]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    found = json.loads(said.splitlines()[-1])
    if found["failed"] or not found["requests"]:
        raise SystemExit(f"{url}: {found}")
    return Load(found["p50"] / 1000, found["p99"] / 1000, found["requests"] / found["duration"] * 1e6)


def _python(environment: OwnEnvironment) -> Path | None:
    try:
        return environment.default_python()
    except NotFound as error:
        print(f"left out: {error}", file=sys.stderr)
        return None


def _machine(others: Mapping[str, Path | None]) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    program = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    for name, python in others.items():
        if python is not None:
            said = subprocess.run([python, "-c", program, name], capture_output=True, text=True, check=True)  # noqa: S603 - ours
            libraries += f", {name} {said.stdout.strip()}"
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split()[1]  # noqa: S607 - from PATH
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"Machine: {os.cpu_count()} processors, {platform.machine()}, load {load} at the start, "
        f"Python {platform.python_version()}, {libraries}, wrk {wrk}"
    )


def main(words: Sequence[str] | None = None) -> int:
    """Print the machine, the command and a table for each model and number of connections."""
    words = sys.argv[1:] if words is None else words
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contender (5)")
    parser.add_argument("--seconds", type=float, default=2, help="of each turn, whole ones (2)")
    parser.add_argument("--only", choices=CANDIDATES, help="one model")
    told = parser.parse_args(words)
    if shutil.which("wrk") is None:
        parser.error("wrk is not installed; on Debian: apt-get install wrk")
    mlflow, mlserver = _python(MLFLOW_SERVER), _python(MLSERVER)
    print(_machine({"mlflow": mlflow, "mlserver": mlserver}))
    print(f"Command: `{shlex.join(['python', '-m', 'benchmarks.serving', *words])}`")
    with tempfile.TemporaryDirectory(prefix="serving-") as name:
        delivery = Delivery(Path(name, "delivery"))
        for candidate in (told.only,) if told.only else CANDIDATES:
            contenders = delivery.contenders(
                candidate, Path(name, candidate), mlflow=mlflow, mlserver=mlserver
            )
            found = measure(contenders, delivery.expected(candidate), told.rounds, told.seconds)
            for connections, loads in found.items():
                title = f"{CANDIDATES[candidate]}; {connections} connection{'s' * (connections > 1)}"
                print("", *table(title, loads), sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
