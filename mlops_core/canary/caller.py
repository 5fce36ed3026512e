"""A caller of a release that is served aside: asks over HTTP, and keeps what came and how long it took."""

from __future__ import annotations

import http.client
import json
import math
import time
from typing import TYPE_CHECKING, Any

from mlops_core.canary.aside import HOST
from mlops_core.domain.outputs import score_name

if TYPE_CHECKING:
    from mlops_core.domain.online import Key
    from mlops_core.domain.release import Release

__all__ = ["Caller"]

_PATIENCE_SECONDS = 10.0
_ENOUGH = 3  # failures after which no more is asked: the release is known to be bad


class Caller:
    """Asks one request at a time, on one connection; what fails is kept as a sentence, and never raised.

    `scores` and `labels` are the answers by id (a number has no label), `milliseconds` what each request by
    id took and `failures` what went wrong, without ids or values. After a few failures nothing more is asked.
    """

    def __init__(self, port: int, release: Release) -> None:
        self.release = release
        self._output = score_name(release.threshold)
        self.asked = 0
        self.scores: dict[Key, float] = {}
        self.labels: dict[Key, bool] = {}
        self.milliseconds: list[float] = []
        self.failures: list[str] = []
        self._connection = http.client.HTTPConnection(HOST, port, timeout=_PATIENCE_SECONDS)

    @property
    def given_up(self) -> bool:
        """Whether it has failed too often to be asked more."""
        return len(self.failures) >= _ENOUGH

    def warm_up(self, key: Key) -> None:
        """Ask about an entity as `predict` does, and keep only what goes wrong."""
        self._predicted(key)

    def predict(self, key: Key) -> None:
        """Ask about one entity by its id."""
        begun = time.perf_counter()
        found = self._predicted(key)
        if found is None:
            return
        self.milliseconds.append((time.perf_counter() - begun) * 1000)
        score, label = found
        self.scores[key] = score
        if label is not None:
            self.labels[key] = label

    def probe(self) -> tuple[float, ...] | None:
        """The scores of the release's own probe rows, in their order; None when that fails."""
        release = self.release
        columns = zip(*release.probes.rows, strict=True)
        inputs = [
            {"name": name, "shape": [len(release.probes.rows)], "datatype": "FP64", "data": list(column)}
            for name, column in zip(release.feature_names, columns, strict=True)
        ]
        path = f"/v2/models/{release.name}/infer"
        answer = self._post(path, {"inputs": inputs, "outputs": [{"name": self._output}]})
        if answer is None:
            return None
        try:
            scores = [float(one) for one in answer["outputs"][0]["data"]]
            strange = answer["model_version"] != str(release.version) or not all(map(math.isfinite, scores))
        except (LookupError, TypeError, ValueError):
            strange = True
        if strange:
            self._failed(path, "the answer is not finite numbers of this version")
            return None
        return tuple(scores)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _predicted(self, key: Key) -> tuple[float, bool | None] | None:
        answer = self._post("/predict", {"ids": [key]})
        if answer is None:
            return None
        try:
            (one,) = answer["predictions"]
            score, label = one[self._output], one.get("label")
            same = answer["version"] == self.release.version and one["id"] == _as_json(key)
            kind = type(None) if self.release.threshold is None else bool
            good = same and isinstance(score, float) and math.isfinite(score) and isinstance(label, kind)
        except (LookupError, TypeError, ValueError):
            good = False
        if not good:
            self._failed("/predict", "the answer is not one finite prediction of this id and version")
            return None
        return score, label

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        """The answer's JSON; None when nothing (more) is asked or it fails."""
        if self.given_up:
            return None
        self.asked += 1
        try:
            self._connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()  # the next request connects anew
            return self._failed(path, f"no answer ({type(error).__name__}: {error})")
        try:
            found = json.loads(content)
        except ValueError:
            return self._failed(path, f"{answer.status}, and the answer is no JSON")
        if answer.status != 200:
            said = found.get("error", "") if isinstance(found, dict) else ""
            return self._failed(path, f"{answer.status}, {said}")
        return found

    def _failed(self, path: str, what: str) -> None:
        self.failures.append(f"POST {path}: {what}")


def _as_json(key: Key) -> Any:
    return list(key) if isinstance(key, tuple) else key
