"""Parameters, options and settings: one definition each, and errors that name the offender."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mlops_core.errors import BadInput, DefinitionError
from mlops_core.options import OptionParser, add_options
from mlops_core.parameters import DeliveryParameters, parameters_of
from mlops_core.settings import Settings
from mlops_core.usecases.churn import CHURN
from mlops_core.validation import validated

ChurnParameters = parameters_of(CHURN)


def parse(*words: str) -> DeliveryParameters:
    """Words of a command line to parameters, as both commands do it."""
    parser = OptionParser(prog="churn")
    add_options(parser, ChurnParameters)
    return validated(ChurnParameters, vars(parser.parse(words)))


def test_nothing_given_is_the_use_case_as_defined() -> None:
    """Defaults change nothing."""
    assert parse().applied_to(CHURN) == CHURN
    assert parse().data_of(CHURN) == {"purchases": CHURN.sources[0].path}


def test_every_field_is_an_option() -> None:
    """All together, as a user would type them."""
    found = parse(
        *("--data", "a.csv", "--as-of", "1998-03-31", "--candidates", "logistic", "--floor", "0.8"),
        "--fail-on-rejection",
    )
    expected = ChurnParameters(
        data=Path("a.csv"),
        as_of=date(1998, 3, 31),
        candidates=("logistic",),
        floor=0.8,
        fail_on_rejection=True,
    )
    assert found == expected
    given = found.applied_to(CHURN)
    assert [one.name for one in given.candidates] == ["logistic"]
    assert given.gate.floor == 0.8
    assert found.data_of(CHURN) == {"purchases": Path("a.csv")}


def test_several_candidates_follow_one_option() -> None:
    """They are words, not JSON."""
    assert parse("--candidates", "boosting", "logistic").candidates == ("boosting", "logistic")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--as-of", "31.3.1998"], "--as-of: expected a date like 1998-06-30, got '31.3.1998'"),
        (["--candidates", "logistik"], "--candidates: input should be 'logistic' or 'boosting'"),
        (["--candidats", "logistic"], "unknown argument '--candidats': did you mean --candidates"),
        (["--floor", "high"], "--floor: .*got 'high'"),
        (["--floor", "nan"], "--floor: .*finite"),
        (["--as-of"], "--as-of: expected one argument"),
        (["churn"], "unknown argument 'churn'"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(words: list[str], message: str) -> None:
    """One sentence, with the option as the user typed it."""
    with pytest.raises(BadInput, match=message):
        parse(*words)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prefix keeps them apart from others' variables."""
    monkeypatch.setenv("MLOPS_HOME", "elsewhere")
    assert Settings.load().home == Path("elsewhere")


def test_a_misspelt_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise state would go to the wrong place in silence."""
    monkeypatch.setenv("MLOPS_TRACKING_URL", "http://127.0.0.1")
    with pytest.raises(DefinitionError, match=r"MLOPS_TRACKING_URL .*did you mean MLOPS_TRACKING_URI"):
        Settings.load()
