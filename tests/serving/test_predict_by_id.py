"""`POST /predict`: ids in, predictions out."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from mlops_core.adapters.online_store.memory import MemoryOnlineStore
    from mlops_core.domain.release import Bundle
    from mlops_core.serving.follower import ReleaseFollower

    Ask = Callable[..., httpx.Response]


@pytest.fixture
def deployer() -> MemoryDeployer:
    """Nothing here is about files."""
    return MemoryDeployer(MemoryTrainer())


@pytest.fixture(autouse=True)
def served(follower: ReleaseFollower, deploy: Callable[..., Bundle]) -> None:
    """Version 1 is served."""
    deploy(1)
    follower.refresh()


def test_ids_are_predicted_from_online_features(ask: Ask, deployer: MemoryDeployer) -> None:
    """In their order, saying by which version and from features of which instant."""
    release = deployer.current("churn")
    assert release is not None
    first, second = deployer.load(release).predict(np.array([[1.0, np.nan], [9.0, 80.0]])).tolist()
    assert ask("POST", "/predict", json={"ids": [2, 1]}).json() == {
        "model": "churn",
        "version": 1,
        "features_as_of": "2026-10-31T23:59:59.999999Z",
        "predictions": [
            {"id": 2, "probability": first, "label": first >= 0.5},
            {"id": 1, "probability": second, "label": second >= 0.5},
        ],
    }


def test_unknown_ids_are_not_found_and_not_repeated(ask: Ask) -> None:
    """Only their positions are."""
    answer = ask("POST", "/predict", json={"ids": [1, "jane@example.org", 4711]})
    assert answer.status_code == 404
    assert "positions from 0: 1, 2" in answer.json()["error"]
    assert "jane" not in answer.text
    assert "4711" not in answer.text


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"ids": []}, "body.ids: List should have at least 1 item"),
        ({"ids": [1] * 1001}, "body.ids: List should have at most 1000 items"),
        ({"ids": "1"}, "body.ids: Input should be a valid list"),
        ({"ids": [1, True]}, "body.ids.1: Input should be a valid integer"),
        ({"ids": [1.0]}, "body.ids.0: Input should be a valid integer"),
        ({"ids": [None]}, "body.ids.0: Input should be a valid integer"),
        ({"ids": [2**63]}, "body.ids.0: Input should be less than"),
        ({"ids": ["x" * 1025]}, "body.ids.0: Input should be a valid integer or String should have at most"),
        ({"ids": ["\ud800"]}, "body.ids.0: "),
        ({"id": [1]}, "body.ids: Field required"),
        ({"ids": [1], "jane": 1}, "body: a field that does not belong there"),
    ],
)
def test_a_body_of_another_form_is_refused(ask: Ask, sent: dict[str, Any], message: str) -> None:
    """What a key can be is exactly what a column of keys can hold."""
    answer = ask("POST", "/predict", content=json.dumps(sent))  # in ASCII, with half a surrogate as \\ud800
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(message)
    assert "jane" not in answer.text


def test_a_thousand_ids_are_predicted_at_once(ask: Ask) -> None:
    """The limit itself is allowed."""
    answer = ask("POST", "/predict", json={"ids": [1, 2] * 500})
    assert len(answer.json()["predictions"]) == 1000


def test_a_failure_inside_is_logged_and_not_told(
    ask: Ask, store: MemoryOnlineStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller learns that it was not their fault, and nothing of the machine."""

    def damaged(*_: object) -> None:
        raise IntegrityError("the file of online values is damaged")

    monkeypatch.setattr(store, "read", damaged)
    with caplog.at_level(logging.ERROR):
        answer = ask("POST", "/predict", json={"ids": [1]})
    assert answer.status_code == 500
    assert answer.json() == {"error": "the server failed to answer; its log says why"}
    assert "the file of online values is damaged" in caplog.text


def test_a_defect_is_answered_in_the_same_form(
    ask: Ask, store: MemoryOnlineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw says no more than that."""
    monkeypatch.setattr(store, "state", lambda _: 1 / 0)
    answer = ask("POST", "/predict", json={"ids": [1]})
    assert answer.status_code == 500
    assert answer.json() == {"error": "the server failed to answer; its log says why"}
