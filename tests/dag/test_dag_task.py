"""What a task and a retry policy accept, and what they refuse."""

from __future__ import annotations

import math
import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.dag import RetryPolicy, Task
from mlops_core.errors import (
    BadInput,
    DataError,
    DefinitionError,
    IntegrityError,
    TaskFailed,
    TaskTimedOut,
    Unavailable,
)

policies = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 2000),
    delay_seconds=st.floats(0, 1e6),
    backoff=st.floats(1, 1e6),
    max_delay_seconds=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
)


def nothing(context: dict[str, Any]) -> None:
    """A task that does nothing; a function of the module, so that it can be pickled."""


def test_a_task_takes_name_run_and_upstream_in_this_order() -> None:
    """The three fields of the lesson are positional, and upstream may be left out."""
    assert Task("b", nothing, ("a",)).upstream == ("a",)
    assert Task("a", nothing).upstream == ()


def test_lists_are_kept_as_tuples() -> None:
    """A task stays hashable and cannot be changed through the list it was made from."""
    names = ["a"]
    task = Task("b", nothing, names, tags=names)  # type: ignore[arg-type] # what a caller may do
    names.append("c")
    assert (task.upstream, task.tags) == (("a",), ("a",))
    assert hash(task) == hash(Task("b", nothing, ("a",), tags=("a",)))


def test_a_task_survives_pickling() -> None:
    """An orchestrator may send a task to another process."""
    task = Task("b", nothing, ("a",), retry=RetryPolicy(3), timeout_seconds=2, tags=("x",), description="d")
    assert pickle.loads(pickle.dumps(task)) == task  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "name must be a text"),
        ({"name": 3}, "not 3"),
        ({"run": "train"}, "'t': run must be callable"),
        ({"upstream": "ab"}, "'t': upstream must be a tuple of texts, not 'ab'"),
        ({"upstream": (1,)}, "upstream must be a tuple of texts"),
        ({"upstream": None}, "upstream must be a tuple of texts"),
        ({"tags": "ab"}, "tags must be a tuple of texts"),
        ({"retry": 3}, "retry must be a RetryPolicy"),
        ({"timeout_seconds": 0}, "timeout_seconds must be above 0"),
        ({"timeout_seconds": math.nan}, "timeout_seconds must be above 0"),
        ({"timeout_seconds": math.inf}, "None for no limit"),
        ({"timeout_seconds": True}, "not True"),
        ({"timeout_seconds": "5"}, "not '5'"),
    ],
)
def test_a_task_that_cannot_be_meant_is_refused(fields: dict[str, Any], said: str) -> None:
    """The message names the field and what came."""
    with pytest.raises(DefinitionError, match=re.escape(said)):
        Task(**{"name": "t", "run": nothing, **fields})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"attempts": 0}, "attempts must be a whole number from 1, not 0"),
        ({"attempts": 1.5}, "not 1.5"),
        ({"attempts": True}, "not True"),
        ({"delay_seconds": -1}, "delay_seconds must be"),
        ({"delay_seconds": math.inf}, "delay_seconds must be"),
        ({"backoff": 0.5}, "backoff must be a finite number from 1, not 0.5"),
        ({"max_delay_seconds": math.nan}, "max_delay_seconds must be"),
        ({"max_delay_seconds": "1"}, "not '1'"),
        ({"jitter": 1.1}, "jitter must be a finite number from 0 to 1, not 1.1"),
        ({"retry_on": OSError}, "retry_on must be a tuple"),
        ({"retry_on": (KeyboardInterrupt,)}, "retry_on must be a tuple of Exception types"),
        ({"retry_on": ("OSError",)}, "retry_on must be a tuple"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(fields: dict[str, Any], said: str) -> None:
    """The message names the field, what was expected and what came."""
    with pytest.raises(DefinitionError, match=re.escape(said)):
        RetryPolicy(**fields)


def test_waits_grow_by_the_backoff_up_to_the_longest() -> None:
    """Five attempts have four waits between them."""
    policy = RetryPolicy(attempts=5, delay_seconds=1, backoff=3, max_delay_seconds=10)
    assert policy.delays() == (1, 3, 9, 10)


@given(policies)
def test_waits_never_shrink_nor_pass_the_longest(policy: RetryPolicy) -> None:
    """However many attempts and however steep the backoff, also where it overflows."""
    delays = policy.delays()
    assert len(delays) == policy.attempts - 1
    assert all(0 <= delay <= policy.max_delay_seconds for delay in delays)
    assert list(delays) == sorted(delays)


@given(policies.filter(lambda policy: policy.attempts > 1))
def test_jitter_shortens_a_wait_by_at_most_its_fraction(policy: RetryPolicy) -> None:
    """A wait is never longer than without jitter."""
    delay = policy.delays()[0]
    assert delay * (1 - policy.jitter) * (1 - 1e-9) <= policy.wait_seconds(1) <= delay


def test_jitter_spreads_waits() -> None:
    """With jitter, a hundred waits are not all the same."""
    policy = RetryPolicy(attempts=2, jitter=1.0)
    assert len({policy.wait_seconds(1) for _ in range(100)}) > 1


@pytest.mark.parametrize(
    ("error", "default", "any_error"),
    [
        (Unavailable("locked"), True, True),
        (OSError("gone"), False, True),
        (TaskTimedOut("slow"), False, True),
        (TaskFailed("inner"), False, True),
        (BadInput("wrong"), False, False),
        (DataError("wrong"), False, False),
        (IntegrityError("changed"), False, False),
        (KeyboardInterrupt(), False, False),
    ],
)
def test_what_is_retried(error: BaseException, default: bool, any_error: bool) -> None:
    """Only what may pass by itself by default; bad input and broken bytes never."""
    assert RetryPolicy().retries(error) is default
    assert RetryPolicy(retry_on=(Exception,)).retries(error) is any_error
