"""The servers that `benchmarks/serving.py` compares: one process each, all with the same fitted model.

The model is one of the two that a delivery of the bundled purchases fits, and it is asked for one customer.
Ours serves a release of it by `mlops serve`; MLflow serves the package that our registry wrote, read by its
own scikit-learn; MLServer gets a joblib file, which is what it reads.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.adapters.trainer.manifest import ModelManifest
from mlops_core.adapters.trainer.sklearn import SklearnTrainer
from mlops_core.domain.release import Bundle, Probes
from mlops_core.domain.usecase import UseCase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CUSTOMER", "Contender", "Delivery", "Target", "free_port"]

ROOT = Path(__file__).parents[1]
CUSTOMER = 1
_TO_JOBLIB = (
    "import sys, joblib, skops.io as io; file, to = sys.argv[1:]; "
    "joblib.dump(io.load(file, trusted=io.get_untrusted_types(file=file)), to)"
)


@dataclass(frozen=True)
class Target:
    """Where a body is sent, and where the probability stands in the answer (None: there is none)."""

    path: str
    body: Mapping[str, Any]
    found: tuple[str | int, ...] | None

    def probability(self, answer: Any) -> float | None:
        """The probability in an answer."""
        if self.found is None:
            return None
        for part in self.found:
            answer = answer[part]
        return float(answer)


@dataclass(frozen=True)
class Contender:
    """A server: the command that starts it at `port`, a path that answers once it is there, its targets."""

    words: Sequence[str]
    port: int
    ready: str
    targets: Mapping[str, Target]
    environment: Mapping[str, str] = field(default_factory=dict)


class Delivery:
    """A delivery of the bundled purchases into a state folder: what all contenders are made of."""

    def __init__(self, home: Path) -> None:
        self._home = home
        done = _run([sys.executable, "-m", "mlops_core.cli", "run", "churn", "--quiet"], MLOPS_HOME=str(home))
        release = LocalDeployer(home=home, trainer=SklearnTrainer()).current("churn")
        assert release is not None, done
        self._release = release
        name = UseCase.stored(release.use_case, "the delivery").online_name
        (found,) = SQLiteOnlineStore(home / "online.db").read(name, [CUSTOMER])
        assert found is not None
        self._row = np.array([found[feature] for feature in release.feature_names], dtype=np.float64)
        assert np.isfinite(self._row).all()  # each contender writes a missing value in another way

    def expected(self, candidate: str) -> float:
        """What scikit-learn gives the customer."""
        return float(SklearnTrainer().load(self._model(candidate)).predict(self._row[None])[0])

    def contenders(
        self, candidate: str, folder: Path, *, mlflow: Path | None, mlserver: Path | None
    ) -> list[Contender]:
        """All of them with one candidate's model; `folder` is empty. The interpreters may be missing."""
        found = [self._ours(candidate, folder / "ours"), self._echo()]
        if mlflow is not None:
            found.append(self._mlflow(candidate, folder / "mlflow", mlflow))
        if mlserver is not None:
            found.append(self._mlserver(candidate, folder / "mlserver", mlserver))
        return found

    def _model(self, candidate: str) -> Path:
        (folder,) = self._home.glob(f"stages/model_training.{candidate}/*/model")
        return folder

    def _inputs(self) -> dict[str, Any]:
        """The row as the Open Inference Protocol has it."""
        row = zip(self._release.feature_names, self._row.tolist(), strict=True)
        return {"inputs": [_tensor(name, [1], [value]) for name, value in row]}

    def _ours(self, candidate: str, home: Path) -> Contender:
        """A state folder that has a release of the candidate, and the same online values."""
        home.mkdir(parents=True)
        for file in self._home.glob("online.db*"):
            shutil.copy(file, home)
        model, trainer, rows = self._model(candidate), SklearnTrainer(), self._release.probes.rows
        expected = trainer.load(model).predict(np.array(rows, dtype=np.float64)).tolist()
        same = {
            name: getattr(self._release, name) for name in ("name", "version", "use_case", "feature_names")
        }
        bundle = Bundle(
            **same,
            digest=ModelManifest.read(model).digest,
            candidate=candidate,
            model_folder=str(model),
            threshold=self._release.threshold,
            probes=Probes(rows=rows, expected=tuple(expected)),
        )
        deployer = LocalDeployer(home=home, trainer=trainer)
        deployer.activate(deployer.prepare(bundle))
        port = free_port()
        words = [sys.executable, "-m", "mlops_core.cli", "serve", "churn", "--port", str(port)]
        targets = {
            "ours, one row": Target("/v2/models/churn/infer", self._inputs(), ("outputs", 0, "data", 0)),
            "ours, by id": Target("/predict", {"ids": [CUSTOMER]}, ("predictions", 0, "probability")),
        }
        return Contender(words, port, "/v2/health/ready", targets, {"MLOPS_HOME": str(home)})

    def _echo(self) -> Contender:
        port = free_port()
        words = [sys.executable, str(ROOT / "benchmarks" / "serving_echo.py"), str(port)]
        return Contender(words, port, "/ready", {"FastAPI echo": Target("/echo", self._inputs(), None)})

    def _mlflow(self, candidate: str, folder: Path, python: Path) -> Contender:
        (package,) = self._home.glob("mlflow/artifacts/models/*/artifacts")
        shutil.copytree(package, folder)
        shutil.copy(self._model(candidate) / "model.skops", folder / "model" / "model.skops")
        port = free_port()
        words = f"-m mlflow models serve --env-manager local --workers 1 --port {port} -m".split()
        sent = {
            "dataframe_split": {"columns": list(self._release.feature_names), "data": [self._row.tolist()]}
        }
        targets = {"mlflow models serve": Target("/invocations", sent, ("predictions", 0, 1))}
        # It starts uvicorn by its name
        path = os.pathsep.join([str(python.parent), os.environ.get("PATH", "")])
        return Contender([str(python), *words, str(folder)], port, "/ping", targets, {"PATH": path})

    def _mlserver(self, candidate: str, folder: Path, python: Path) -> Contender:
        """Without its pool of workers, which is another process, and slower for one row."""
        folder.mkdir(parents=True)
        _run(
            [str(python), "-c", _TO_JOBLIB, str(self._model(candidate) / "model.skops"), f"{folder}/m.joblib"]
        )
        port = free_port()
        settings = {"debug": False, "host": "127.0.0.1", "parallel_workers": 0, "http_port": port}
        settings |= {"grpc_port": free_port(), "metrics_port": free_port()}
        model = {"name": "churn", "implementation": "mlserver_sklearn.SKLearnModel"}
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "model-settings.json").write_text(json.dumps(model | {"parameters": {"uri": "./m.joblib"}}))
        sent = {
            "inputs": [_tensor("rows", [1, len(self._row)], self._row.tolist())],
            "outputs": [{"name": "predict_proba"}],
        }
        words = [str(python), "-c", "from mlserver.cli import main; main()", "start", str(folder)]
        targets = {"MLServer": Target("/v2/models/churn/infer", sent, ("outputs", 0, "data", 1))}
        return Contender(words, port, "/v2/health/ready", targets)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _tensor(name: str, shape: list[int], data: list[float]) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": "FP64", "data": data}


def _run(words: Sequence[str], **environment: str) -> str:
    done = subprocess.run(words, env=os.environ | environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise SystemExit(f"{' '.join(words[:4])} failed:\n{done.stderr[-4000:]}")
    return done.stdout
