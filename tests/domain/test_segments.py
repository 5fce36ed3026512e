"""A use case for a part of its entities."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from mlops_core.definitions import Query, segment
from mlops_core.errors import DefinitionError
from mlops_core.usecases.churn import CHURN


def test_it_has_a_name_and_events_of_its_own_and_the_same_definitions() -> None:
    north = segment(CHURN, "north", {"purchases": Query(sql="SELECT 1")})
    south = segment(north, "west", {"purchases": Path("west.parquet")})
    assert (north.name, south.name) == ("churn_north", "churn_north_west")
    assert north.sources[0].data == Query(sql="SELECT 1")
    assert south.sources[0].data == Path("west.parquet")
    assert north.training_digest == CHURN.training_digest
    assert CHURN.sources[0].query is None


def test_a_source_that_is_none_of_the_use_case_is_refused() -> None:
    with pytest.raises(
        DefinitionError, match="segment 'north': churn has no source 'orders': it has purchases"
    ):
        segment(CHURN, "north", {"orders": Path("north.parquet")})


def test_a_name_that_no_use_case_can_have_is_refused() -> None:
    with pytest.raises(ValidationError, match="name"):
        segment(CHURN, "north-west", {})
