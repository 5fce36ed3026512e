"""Definitions say what is wrong with them when they are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.features import Count, FeatureView, Sum
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import NoEventWithin
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase
from mlops_core.usecases.churn import CHURN


def use_case(**changes: Any) -> UseCase:
    """A small valid use case, with some fields changed."""
    fields: dict[str, Any] = {
        "name": "churn",
        "entity": Entity(name="customer", key="customer_id"),
        "sources": (EventSource(name="purchases", event_timestamp="at", path=Path("a.parquet")),),
        "views": (FeatureView(name="history", source="purchases", features=(Count("orders"),)),),
        "label": NoEventWithin(name="churned", source="purchases", horizon=days(90)),
        "candidates": (LogisticRegression(),),
        "gate": GatePolicy(floor=0.7),
    }
    return UseCase(**(fields | changes))


def test_a_use_case_survives_json() -> None:
    """What a registry keeps is what was defined."""
    assert UseCase.model_validate_json(CHURN.model_dump_json()) == CHURN


def test_all_problems_are_named_at_once() -> None:
    """A repeated feature and an unknown source come in one message."""
    views = (
        FeatureView(name="a", source="purchases", features=(Count("orders"),)),
        FeatureView(name="b", source="visits", features=(Sum("orders", "amount"),)),
    )
    with pytest.raises(ValidationError) as caught:
        use_case(views=views)
    assert "'orders' is used 2 times" in str(caught.value)
    assert "view 'b' reads source 'visits'" in str(caught.value)


def test_a_feature_may_not_be_called_like_the_key_or_the_label() -> None:
    """It would overwrite the column it stands beside."""
    view = FeatureView(name="a", source="purchases", features=(Count("churned"),))
    with pytest.raises(ValidationError, match="'churned' is used 2 times"):
        use_case(views=(view,))


@pytest.mark.parametrize("window", [days(0), days(-1)])
def test_a_window_that_does_not_reach_back_is_refused(window: Any) -> None:
    """Zero sees nothing; below zero would be the future."""
    with pytest.raises(ValidationError, match="a window reaches back"):
        Count("orders", window=window)


def test_a_misspelt_option_is_refused() -> None:
    """Nothing is ignored in silence."""
    with pytest.raises(ValidationError, match="windw"):
        Count("orders", windw=days(3))  # type: ignore[call-arg]  # the very mistake


def test_where_a_file_lies_does_not_change_the_definitions() -> None:
    """The same purchases under another path make the same features."""
    moved = (EventSource(name="purchases", event_timestamp="at", path=Path("b.parquet")),)
    assert use_case(sources=moved).training_digest == use_case().training_digest


def test_a_changed_feature_gets_online_values_of_its_own() -> None:
    """A release goes on reading values made by its own definitions."""
    view = FeatureView(name="history", source="purchases", features=(Count("orders", window=days(30)),))
    assert use_case(views=(view,)).online_name != use_case().online_name


def test_a_changed_gate_does_not_change_the_features() -> None:
    """A policy decides what serves, not what is known."""
    assert use_case(gate=GatePolicy(floor=0.9)).training_digest == use_case().training_digest
