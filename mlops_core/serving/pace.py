"""Where the work of a request is done: a little of it in the event loop, anything longer in a thread.

Handing a request to a thread and back takes as long as all else that the server does for one row, and threads
that all want the interpreter delay each other. But what waits, or takes long, in the event loop holds up
every other request and the health checks. So the event loop predicts few rows, by a model that has shown that
it is quick, and asks an online store only where that is no network away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.serving.arms import Answer, Arms
    from mlops_core.serving.predictor import Predictor

__all__ = ["FEW", "answer"]

FEW = 16  # rows; reading, predicting and writing them takes less than a millisecond

Body = TypeVar("Body")


async def answer(
    arms: Arms,
    work: Callable[[Predictor], Answer[Body]],
    version: str | None = None,
    *,
    rows: int,
    online: bool = False,
) -> Body:
    """The body of what `arms` answer, see `Arms.answer`; `online` where the work asks the online store."""
    if rows <= FEW and arms.is_quick(online=online):
        return arms.answer(work, version).body
    return (await run_in_threadpool(arms.answer, work, version)).body
