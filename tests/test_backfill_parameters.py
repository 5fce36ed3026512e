"""What a backfill and a delivery of segments may be told."""

from __future__ import annotations

from datetime import date

import pytest

from mlops_core.errors import BadInput
from mlops_core.options import OptionParser, add_options
from mlops_core.parameters import BackfillParameters, SegmentsParameters
from mlops_core.usecases.churn import CHURN
from mlops_core.validation import validated


def parse(*words: str) -> BackfillParameters:
    """Words of a command line to parameters."""
    parser = OptionParser(prog="backfill")
    add_options(parser, BackfillParameters)
    return validated(BackfillParameters, vars(parser.parse(words)))


def test_months_unless_told_otherwise_and_all_candidates() -> None:
    found = parse("--first", "1998-01-15", "--last", "1998-03-31")
    assert found.days == (date(1998, 1, 31), date(1998, 2, 28), date(1998, 3, 31))
    assert found.applied_to(CHURN) == CHURN


def test_candidates_keep_the_use_case_s_order() -> None:
    words = ("--first", "1998-01-15", "--last", "1998-03-31", "--candidates", "boosting", "logistic")
    assert parse(*words).applied_to(CHURN) == CHURN


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--last 1998-01-31", "--first: has to be given"),
        (
            "--first 1998-02-01 --last 1998-01-31",
            "--last: expected 1998-02-01 or later, since --first is that",
        ),
        (
            "--first 1998-02-01 --last 1998-02-03",
            "--every: expected a period of which one ends from 1998-02-01",
        ),
        ("--first 1990-01-01 --last 1998-02-03 --every day", "--every: expected at most 1,000 days"),
        ("--first yesterday --last 1998-02-03 --every day", "--first: expected a date like"),
        ("--first 1998-01-01 --last 1998-02-03 --every year", "--every: "),
    ],
)
def test_a_bad_range_is_refused_with_one_sentence(words: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(*words.split())
    assert str(refused.value).startswith(said)
    assert ";" not in str(refused.value)


def test_a_thousand_days_are_not_too_many() -> None:
    assert len(parse("--first", "1995-04-06", "--last", "1997-12-30", "--every", "day").days) == 1000


def test_a_candidate_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    given = parse("--first", "1998-01-15", "--last", "1998-03-31", "--candidates", "forest", "logistic")
    with pytest.raises(BadInput, match=r"^--candidates: churn has logistic, boosting, got 'forest'$"):
        given.applied_to(CHURN)


def test_segments_are_told_what_a_delivery_is() -> None:
    given = validated(SegmentsParameters, {"use_cases": ["churn"], "as_of": "1998-03-31", "actor": "ann"})
    found = given.of(CHURN)
    assert (found.as_of, found.actor, found.fail_on_rejection) == (date(1998, 3, 31), "ann", False)
    assert found.applied_to(CHURN) == CHURN


def test_there_is_no_delivery_of_no_segment() -> None:
    with pytest.raises(BadInput, match="--use-cases: expected at least one"):
        validated(SegmentsParameters, {"use_cases": []})
