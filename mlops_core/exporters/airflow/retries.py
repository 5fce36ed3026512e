"""Retries in an Airflow file: after exit code 75 alone, with the waits of our own policy.

Airflow's own settings know neither codes nor a wait that is shortened at random; a `RetryPolicy` of Airflow
3.3 is asked after each failure, in the process of the task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.dag import RetryPolicy
from mlops_core.exporters.python_source import Code, literal

if TYPE_CHECKING:
    from mlops_core.domain.pipeline import Retry

__all__ = ["POLICY", "retries_of"]

POLICY = '''

@dataclass(frozen=True)
class AsTheCommandSays(RetryPolicy):
    """Another attempt only where the command ends with exit code 75; any other failure is final."""

    delays: tuple[float, ...]  # seconds after the first, second, … attempt; the last holds for all others too
    jitter: float = 0.0  # the largest part by which a wait is shortened at random

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> RetryDecision:
        """BashOperator tells the exit code in its message alone."""
        if not str(exception).endswith("exit code 75."):
            return RetryDecision.fail("not a failure that another attempt could mend")
        failed = try_number - max_tries + context["task"].retries  # attempts since the task was last cleared
        seconds = self.delays[min(max(failed, 1), len(self.delays)) - 1]
        return RetryDecision.retry(timedelta(seconds=seconds * (1 - self.jitter * random.random())))
'''


def retries_of(retry: Retry) -> dict[str, Any]:
    """The arguments of an operator that attempts a task as the policy says; none for a single attempt."""
    if retry.attempts == 1:
        return {}
    told = retry.model_dump(exclude={"retry_on", "jitter"})  # which errors: the command is told that
    delays = list(RetryPolicy(**told).delays())
    while delays[-2:-1] == delays[-1:]:
        delays.pop()
    jitter = f", jitter={retry.jitter}" if retry.jitter else ""
    policy = Code(f"AsTheCommandSays(delays={literal(tuple(delays))}{jitter})")
    return {"retries": retry.attempts - 1, "retry_policy": policy}
