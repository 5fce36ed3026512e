"""What the server counts and logs of each request, and what it never does."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.serving.account import Account
from mlops_core.serving.arms import Answer, Arms
from mlops_core.serving.drain import Drain
from mlops_core.serving.guard import Admission
from mlops_core.serving.logs import JsonLines
from mlops_core.serving.metrics import ServerMetrics
from mlops_core.serving.observer import Observer
from mlops_core.serving.paths import PathTemplates

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from starlette.types import Message, Receive, Scope, Send

    from mlops_core.adapters.online_store.memory import MemoryOnlineStore
    from mlops_core.domain.release import Bundle
    from mlops_core.serving.follower import ReleaseFollower

    Ask = Callable[..., httpx.Response]

INFER = "/v2/models/{name}/infer"
NAME = "jane"  # not in the lines of code below, which a log may show
ROWS = {
    "inputs": [
        {"name": name, "shape": [2], "datatype": "FP64", "data": data}
        for name, data in (("orders", [9, 1]), ("basket", [80.0, None]))
    ]
}


@pytest.fixture
def deployer() -> MemoryDeployer:
    """Nothing here is about files."""
    return MemoryDeployer(MemoryTrainer())


@pytest.fixture(autouse=True)
def served(follower: ReleaseFollower, deploy: Callable[..., Bundle]) -> Bundle:
    """Version 1 is served."""
    bundle = deploy(1)
    follower.refresh()
    return bundle


@pytest.fixture
def lines() -> Any:
    """The log of the server as JSON lines, from here on."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    ours = logging.getLogger("mlops_core")
    level = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    ours.removeHandler(handler)
    ours.setLevel(level)


class Figures:
    """A scrape, as Prometheus reads it."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        self.samples = [
            sample for family in text_string_to_metric_families(answer.text) for sample in family.samples
        ]

    def __call__(self, name: str, **labels: str) -> float:
        """The value of the one sample of this name and these labels."""
        (value,) = (one.value for one in self.samples if one.name == name and one.labels == labels)
        return value

    def labels(self, name: str, label: str) -> set[str]:
        """The values that a label has."""
        return {one.labels[label] for one in self.samples if one.name == name}


def figures(ask: Ask) -> Figures:
    """What a scrape gives now."""
    return Figures(ask("GET", "/metrics"))


def test_requests_and_predictions_are_counted(ask: Ask, served: Bundle, as_of: Any) -> None:
    """By template, status, version and arm; scores and times as histograms."""
    ask("POST", "/v2/models/churn/infer", json=ROWS)
    scores = [one["probability"] for one in ask("POST", "/predict", json={"ids": [1]}).json()["predictions"]]
    ask("POST", "/predict", json={"ids": [4711]})
    ask("GET", "/v2/models/jane")
    ask("JUMP", "/jane")
    found = figures(ask)
    one = {"version": "1", "arm": "serving"}
    none = {"version": "", "arm": ""}
    predicted = {"route": "/predict", "method": "POST"}
    assert found("mlops_requests_total", route=INFER, method="POST", status="200", **one) == 1
    assert found("mlops_requests_total", **predicted, status="200", **one) == 1
    assert found("mlops_requests_total", **predicted, status="404", **none) == 1
    assert found("mlops_requests_total", route="/v2/models/{name}", method="GET", status="404", **none) == 1
    assert found("mlops_requests_total", route="", method="other", status="404", **none) == 1
    assert found("mlops_rows_total", **one) == 3
    assert found("mlops_scores_count", **one) == 3
    assert found("mlops_scores_sum", **one) > scores[0]
    assert found("mlops_request_seconds_count", route="/predict", **one) == 1
    assert found("mlops_request_seconds_bucket", route="/predict", le="10.0", **one) == 1
    assert found("mlops_requests_under_way") == 1  # the scrape itself
    assert found("mlops_release_info", model="churn", digest=served.digest, **one) == 1
    age = time.time() - as_of.timestamp()
    assert found("mlops_online_features_age_seconds", **one) == pytest.approx(age, abs=60)
    assert not [sample for sample in found.samples if "jane" in str(sample) or "4711" in str(sample)]


def test_swaps_and_failures_of_following_are_counted(
    ask: Ask,
    deploy: Callable[..., Bundle],
    follower: ReleaseFollower,
    deployer: MemoryDeployer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A release that cannot be used is a failure, and what served is told on."""
    deploy(2)
    follower.refresh()
    found = figures(ask)
    assert (found("mlops_release_swaps_total"), found("mlops_follower_failures_total")) == (1, 0)

    def damaged(name: str) -> Any:
        raise OSError(f"the disk of {name} is gone")

    monkeypatch.setattr(deployer, "signature", damaged)
    follower.refresh()
    found = figures(ask)
    assert (found("mlops_release_swaps_total"), found("mlops_follower_failures_total")) == (1, 1)
    assert found.labels("mlops_release_info", "version") == {"2"}


def test_a_trial_has_figures_of_its_own(
    ask: Ask, make_bundle: Callable[..., Bundle], follower: ReleaseFollower, deployer: MemoryDeployer
) -> None:
    """What it answered counts as of its own version and arm; none of it is there without a trial."""
    assert not [sample for sample in figures(ask).samples if sample.name.startswith("mlops_trial")]
    deployer.share(deployer.prepare(make_bundle(2)), 99)
    follower.refresh()
    for _ in range(20):
        assert ask("POST", "/predict", json={"ids": [1]}).status_code == 200
    found = figures(ask)
    of_it = {"version": "2", "shadow": "false"}
    assert found.labels("mlops_release_info", "arm") == {"serving", "trial"}
    assert (
        found("mlops_rows_total", version="2", arm="trial")
        == found("mlops_trial_requests_total", **of_it)
        > 0
    )
    assert found("mlops_trial_errors_total", **of_it) == found("mlops_trial_dropped_total", **of_it) == 0
    assert found("mlops_trial_percent", **of_it) == 99


def test_figures_of_old_versions_go(
    ask: Ask, deploy: Callable[..., Bundle], follower: ReleaseFollower
) -> None:
    """So many releases later a scrape is as long as it was."""
    for version in range(2, 9):
        deploy(version)
        follower.refresh()
        ask("POST", "/predict", json={"ids": [1]})
    found = figures(ask)
    for name in (
        "mlops_requests_total",
        "mlops_request_seconds_count",
        "mlops_rows_total",
        "mlops_scores_sum",
    ):
        assert found.labels(name, "version") - {""} == {"5", "6", "7", "8"}


@pytest.mark.parametrize("rows", [1, 16, 17, 1000])
def test_scores_are_placed_alike_however_many(follower: ReleaseFollower, rows: int) -> None:
    """One by one, or by NumPy: a score at a bound counts as at most that bound."""
    arms = Arms(follower)
    scores = np.linspace(0, 1, rows)
    together, apart = ServerMetrics(arms, clock=lambda: 0.0), ServerMetrics(arms, clock=lambda: 0.0)
    account = Account(id="x", method="POST", route="/predict", status=200)
    account.answer = Answer(None, scores, arms.predictor())
    together.count(account, 0.1)
    for score in scores:
        account.answer = Answer(None, np.array([score]), arms.predictor())
        apart.count(account, 0.1)
    of = [
        [line for line in one.text().decode().splitlines() if "scores_bucket" in line]
        for one in (together, apart)
    ]
    assert of[0] == of[1]
    assert of[0][-1].endswith(f" {float(rows)}")


def test_an_access_line_says_how_it_went_and_nothing_of_whom(ask: Ask, lines: Any, served: Bundle) -> None:
    """A request's id leads from the caller's log to this one."""
    answer = ask("POST", "/predict", json={"ids": [1, 2]}, headers={"X-Request-Id": "order-7.a"})
    assert answer.headers["x-request-id"] == "order-7.a"
    (line,) = lines()
    assert line.pop("ms") > 0
    assert line.pop("timestamp").endswith("Z")
    assert line.pop("message").startswith("POST /predict 200 ")
    assert line == {
        "level": "info",
        "logger": "mlops_core.serving.access",
        "method": "POST",
        "route": "/predict",
        "status": 200,
        "request_id": "order-7.a",
        "rows": 2,
        "version": 1,
        "digest": served.digest,
    }


def test_what_watches_the_server_fills_no_log(ask: Ask, lines: Any) -> None:
    """Health and metrics are asked every few seconds."""
    for path in ("/v2/health/live", "/v2/health/ready", "/metrics"):
        assert len(ask("GET", path).headers["x-request-id"]) == 32
    assert lines() == []


@pytest.mark.parametrize("given", ["a b", "x" * 65, "", 'a"b', "a\tb", "jane@example.org"])
def test_an_id_that_is_no_short_word_is_replaced(ask: Ask, lines: Any, given: str) -> None:
    """It would be written into a log."""
    answer = ask("GET", "/v2", headers={"X-Request-Id": given})
    (line,) = lines()
    assert answer.headers["x-request-id"] == line["request_id"] != given
    assert "jane" not in str(line)


def test_refusals_have_a_line_too(ask_with: Callable[..., Ask], lines: Any) -> None:
    """Without address or token."""
    ask = ask_with(admission=Admission(token="x" * 20))
    refused = ask("POST", "/predict", peer="192.0.2.77", headers={"Authorization": "Bearer nobody-knows-it"})
    assert refused.headers["x-request-id"]
    (line,) = lines()
    assert (line["status"], line["route"], line.get("rows")) == (401, "/predict", None)
    assert "192.0.2.77" not in str(line)
    assert "nobody" not in str(line)


def test_a_defect_is_logged_by_its_place_and_not_by_its_words(
    ask: Ask, lines: Any, store: MemoryOnlineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine's message may quote what a caller sent."""

    def breaks(*_: object) -> None:
        raise RuntimeError(f"cannot read {NAME}") from ValueError(NAME)

    monkeypatch.setattr(store, "read", breaks)
    answer = ask("POST", "/predict", json={"ids": [1]})
    assert (answer.status_code, answer.json()["error"]) == (
        500,
        "the server failed to answer; its log says why",
    )
    failure, access = lines()
    assert failure["level"] == "error"
    assert "RuntimeError, from ValueError" in failure["message"]
    assert "in breaks" in failure["message"]
    assert "jane" not in str(failure)
    assert (access["status"], access["request_id"]) == (500, answer.headers["x-request-id"])


def test_a_line_is_one_line_whatever_it_holds() -> None:
    """Whoever reads lines is never told others by what stands in one."""
    record = logging.LogRecord("x", logging.INFO, "", 1, 'a\n{"level": "b"}\u2028', None, None)
    assert JsonLines().format(record).isascii()
    assert len(JsonLines().format(record).splitlines()) == 1


def test_templates_are_found_by_the_address_alone() -> None:
    """A part that a caller chooses is one part, and never the name of something."""
    templates = PathTemplates(["/predict", "/v2/models/{name}", "/v2/models/{name}/versions/{version}/infer"])
    assert templates.of("/predict") == "/predict"
    assert templates.of("/v2/models/a b") == "/v2/models/{name}"
    assert templates.of("/v2/models/x/versions/3/infer") == "/v2/models/{name}/versions/{version}/infer"
    assert [templates.of(path) for path in ("/", "/v2/models/", "/v2/models/a/b", "/predict/")] == [""] * 4


def test_an_answer_that_breaks_off_is_told_to_the_server(follower: ReleaseFollower, lines: Any) -> None:
    """Half an answer must not look like a whole one; the connection is to be closed."""

    async def half(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError(NAME)

    async def send(_: Message) -> None: ...

    metrics = ServerMetrics(Arms(follower))
    app = Observer(half, template=str, metrics=metrics, drain=Drain())
    scope = {"type": "http", "method": "GET", "path": "/x", "headers": []}
    with pytest.raises(RuntimeError, match="broke off"):
        asyncio.run(app(scope, None, send))  # type: ignore[arg-type] # nothing is received
    assert "jane" not in str(lines())
    assert metrics.under_way == 0
