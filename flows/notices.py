"""Who is told how runs end: the Prefect notification blocks that `MLOPS_NOTIFY` names.

Told are failures and crashes, rejections, questions that wait for a person, and what nobody can answer any
more. What failed is told each time; what a run found as it was told before is not told again: a variable on
Prefect's server keeps what was sent where. A block that did not get it is tried again by the next such run.

`python -m flows.notices` tells them something, to see that it arrives.
"""

from __future__ import annotations

import contextvars
import hashlib
import logging
import os
import re
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows import server
from mlops_core.commands.output import one_line, say, warn
from mlops_core.errors import BadInput, DefinitionError, MlopsError, NotFound, Unavailable
from mlops_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prefect import Flow
    from prefect.blocks.abstract import NotificationBlock
    from prefect.client.schemas.objects import FlowRun, State

__all__ = ["NOTIFY", "Notice", "blocks_of", "hooks", "send", "tell"]

NOTIFY = "MLOPS_NOTIFY"
SECONDS = 15.0
"""How long a run waits at its end for all blocks together; what is slower is given up."""
KEPT = 100
"""How many notices are remembered as told, by flow: Prefect's variables hold 5,000 characters."""
_BLOCK = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*")
_LOG = logging.getLogger("mlops_core.notices")  # so it is part of the run's log, as what stages say


@dataclass(frozen=True)
class Notice:
    """What is told. `event` names it among all that are told once; None where each time counts."""

    subject: str
    body: str
    event: str | None = None


def blocks_of(notify: str | None) -> tuple[str, ...]:
    """The blocks that the setting names. Raises `DefinitionError` for what cannot be one."""
    names = [name.strip() for name in (notify or "").split(",") if name.strip()]
    for name in names:
        if not _BLOCK.fullmatch(name):
            raise DefinitionError(
                f"the setting {NOTIFY} cannot be used: give TYPE/NAME of a notification block, several with "
                f"commas between them, such as slack-webhook/ops, got {_safe(name)!r}"
            )
    return tuple(dict.fromkeys(names))


def hooks(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The hooks of a flow's options: none where nothing is configured, so that no run's log names them."""
    if not environment.get(NOTIFY, "").strip():
        return {}
    return {when: [tell] for when in ("on_completion", "on_failure", "on_crashed")}


def tell(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Tell the blocks how a run ended, where that is news. Never fails, and never takes over `SECONDS`."""
    try:
        notice = _notice(flow, flow_run, state)
        blocks = blocks_of(Settings.load().notify)
        failed = send(notice, blocks, flow.name) if notice else {}
    except Exception as error:  # a run is over, whatever goes wrong here
        why = error if isinstance(error, MlopsError) else _why(error)
        _LOG.warning("nobody was told how the run ended: %s", why)
        return
    for block, reason in failed.items():
        _LOG.warning("%s was not told how the run ended: %s", block, reason)


def send(notice: Notice, blocks: Sequence[str], about: str) -> dict[str, MlopsError]:
    """Send a notice to the blocks that were not told of its event; returns why one did not get it, by block.

    `about` is whose events these are: a flow's name.
    """
    failed: dict[str, MlopsError] = {
        block: Unavailable(f"no answer within {SECONDS:g} s: is it up?") for block in blocks
    }
    sending = threading.Thread(
        target=contextvars.copy_context().run,  # Prefect keeps the server's address there
        args=(_try_to_send_all, notice, blocks, about, failed),
        name="notices",
        daemon=True,  # what hangs does not keep the process
    )
    sending.start()
    sending.join(SECONDS)
    return dict(failed)


def _try_to_send_all(
    notice: Notice, blocks: Sequence[str], about: str, failed: dict[str, MlopsError]
) -> None:
    try:
        _send_all(notice, blocks, about, failed)
    except Exception as error:  # Prefect's server, which keeps the blocks and what was told
        failed.update(dict.fromkeys(blocks, Unavailable(_why(error))))


def _send_all(notice: Notice, blocks: Sequence[str], about: str, failed: dict[str, MlopsError]) -> None:
    from prefect.variables import Variable

    key = f"told_{re.sub('[^a-z0-9]+', '_', about.lower())}"
    kept: Any = Variable.get(key, default=[]) if notice.event else []
    told: list[str] = kept if isinstance(kept, list) else []
    for block in blocks:
        mark = hashlib.sha256(f"{block}\n{notice.event}".encode()).hexdigest()[:16]
        try:
            if mark not in told:
                _send(notice, block)
        except MlopsError as error:
            failed[block] = error
        else:
            failed.pop(block)
            told = [*(one for one in told if one != mark), mark]
    if notice.event:
        Variable.set(key, told[-KEPT:], overwrite=True)


def _send(notice: Notice, name: str) -> None:
    block, apprise = _block(name), logging.getLogger("apprise")  # which most blocks send with
    before, apprise.propagate = apprise.propagate, False  # what it says comes with the error
    try:
        with block.raise_on_failure():
            block.notify(notice.body, notice.subject)  # type: ignore[unused-coroutine]  # no loop: it sends
    except Exception as error:  # whatever the service and its client do
        raise Unavailable(_why(error, _secrets(block))) from error
    finally:
        apprise.propagate = before


def _block(name: str) -> NotificationBlock:
    import prefect.blocks.notifications  # noqa: F401 - makes their types known
    from prefect.blocks.abstract import NotificationBlock
    from prefect.blocks.core import Block

    try:
        block: Any = Block.load(name)
    except ValueError as error:
        raise NotFound(
            f"Prefect has no such block: `prefect block ls` lists those there are ({_why(error)})"
        ) from error
    except Exception as error:  # of a package that is not installed, or of an older form
        raise BadInput(f"the block cannot be loaded: {_why(error)}") from error
    if not isinstance(block, NotificationBlock):
        raise BadInput(f"it is a {type(block).__name__}, which is no notification block")
    return block


def _notice(flow: Flow[Any, Any], run: FlowRun, state: State[Any]) -> Notice | None:
    """What there is to tell of a run that ended; None for one that went well."""
    failed = state.is_failed() or state.is_crashed()
    if not failed and (state.name == "Completed" or state.name not in _news()):
        return None
    from prefect.utilities.urls import url_for

    use_case = run.parameters.get("use_case")
    of = f"{flow.name} {use_case}" if use_case else flow.name
    sentence = state.message or f"{of} ended as {state.name}"
    subject = f"{of}: {re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', state.name or str(state.type)).lower()}"
    lines = [sentence, "", f"run: {run.name}", f"link: {url_for(run) or 'no UI is known'}"]
    return Notice(subject, "\n".join(lines), None if failed else _event(flow.name, sentence, state))


def _news() -> tuple[str, ...]:
    """The states of a completed run that are told, once."""
    from flows.approval import AWAITING, REJECTED, VOID  # here: other flows need not load what these need
    from flows.delivery import HELD_BACK

    return AWAITING, REJECTED, VOID, HELD_BACK


def _event(flow: str, sentence: str, state: State[Any]) -> str:
    """Tells what was told from what was not: a question by its digest, else by all that is known of it."""
    from mlops_core.summary import Outcome

    found = None if state.data is None else state.result(raise_on_failure=False)
    if isinstance(found, Outcome):
        asked = found.status == "awaiting approval" and found.request
        sentence = asked or found.model_dump_json()
    return f"{flow} {state.name} {sentence}"


def _why(error: BaseException, secrets: Sequence[str] = ()) -> str:
    """What went wrong, in a line without what a log must not hold: an address is often the secret itself."""
    response = getattr(error, "response", None)  # httpx's
    text = (
        f"it answered {response.status_code}" if response is not None else str(getattr(error, "log", error))
    )
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return one_line(f"{type(error).__name__}: {_safe(text)}", 300)


def _safe(text: str) -> str:
    return re.sub(r"\w+://\S+", "…", text)


def _secrets(block: NotificationBlock) -> list[str]:
    found: list[str] = []
    for value in vars(block).values():
        secret = value.get_secret_value() if hasattr(value, "get_secret_value") else value
        texts = secret.values() if isinstance(secret, dict) else [secret] if secret is not value else []
        found += [text for text in map(str, texts) if len(text) > 3]
    return found


def _try() -> int:
    """Tell all blocks something; the exit code is 1 when one of them did not get it."""
    server.start()
    try:
        blocks = blocks_of(Settings.load().notify)
    except MlopsError as error:
        warn(str(error))
        return error.exit_code
    if not blocks:
        warn(f"nothing is configured: {NOTIFY} names no block")
        return 2
    with server.ready():
        failed = send(Notice("a test", "MLOPS_NOTIFY names this block: here you will be told."), blocks, "")
    for block in blocks:
        say(f"{block}: {failed.get(block, 'told')}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(_try())
