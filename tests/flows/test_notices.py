"""Who is told how a run ended, what, and how often: real blocks, to a receiver on this machine."""

from __future__ import annotations

import json
import logging
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prefect import flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock, MattermostWebhook
from prefect.blocks.system import Secret
from prefect.states import Completed, Failed
from pydantic import BaseModel, SecretStr

from flows import notices
from flows.approval import AWAITING, REJECTED, VOID
from flows.delivery import HELD_BACK
from flows.notices import blocks_of, hooks
from flows.parameters import typed_by
from mlops_core.errors import DefinitionError
from mlops_core.summary import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from tests.flows.conftest import Ran

# Apprise imports it when it is first used
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

PAGE = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
SENTENCE = "churn version 3: rejected: too few rows"
OUTCOME = Outcome(
    use_case="churn",
    status="awaiting approval",
    version=3,
    stage="Staging",
    candidate="logistic",
    metrics={"roc_auc": 0.84},
    reasons=(),
    request="f00d",
    release=None,
    report="report.html",
)


@dataclass
class Receiver:
    """What services got, by the path they were asked under; `answers` other than 200 likewise."""

    address: str = ""
    got: dict[str, list[Any]] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        """Where a service is."""
        return f"{self.address}/{path}"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """A server on this machine; under /slow it answers once the tests are over."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            name = self.path.strip("/").partition("/")[0]
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.got.setdefault(name, []).append(json.loads(body))
            if name == "slow":
                receiver.released.wait(60)
            self.send_response(receiver.answers.get(name, 200))
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield receiver
    receiver.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def told(
    receiver: Receiver, prefect_server: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Makes a webhook block of its own, has it be told, and gives the name its messages are kept under."""
    assert prefect_server is None  # it is up
    name = plain(request.node.name)

    def make(also: str = "", **changed: Any) -> str:
        given: dict[str, Any] = {
            "name": name,
            "url": receiver.url(name),
            "json_data": {"subject": "{{subject}}", "body": "{{body}}"},
        }
        CustomWebhookNotificationBlock(**given | changed).save(name, overwrite=True)
        monkeypatch.setenv(notices.NOTIFY, f"custom-webhook/{name}{also}")
        return name

    return make


def plain(name: str) -> str:
    """A test's name as a block or a flow may have it."""
    return "".join(sign if sign.isalnum() else "-" for sign in name.lower()).strip("-")


@pytest.fixture
def ends(run_flow: Callable[..., Ran], request: pytest.FixtureRequest) -> Callable[..., Ran]:
    """Run a flow that ends in a state, or with an error; its name is the test's, so what was told is, too."""

    def end(how: Any, name: str = plain(request.node.name)) -> Ran:
        @flow(name=name, **hooks())
        def ending() -> Any:
            if isinstance(how, BaseException):
                raise how
            return how.model_copy(update={"id": Completed().id})

        return run_flow(ending)

    return end


@pytest.mark.parametrize(
    ("state", "subject"),
    [
        (Failed(message=SENTENCE), "failed"),
        (Failed(message=SENTENCE, name=REJECTED), "rejected"),
        (Completed(message=SENTENCE, name=REJECTED), "rejected"),
        (Completed(message=SENTENCE, name=AWAITING), "awaiting approval"),
        (Completed(message=SENTENCE, name=VOID), "void"),
        (Completed(message=SENTENCE, name=HELD_BACK), "held back"),
    ],
    ids=["failed", "failed on rejection", "rejected", "awaiting", "void", "held back"],
)
def test_what_a_person_has_to_know_is_told(
    receiver: Receiver, told: Callable[..., str], ends: Callable[..., Ran], state: Any, subject: str
) -> None:
    """The flow and how it ended as the subject; the sentence, the run and its link as the body."""
    name = told()
    ran = ends(state, "churn-" + subject)
    (got,) = receiver.got[name]
    assert got["subject"] == f"churn-{subject}: {subject}"
    lines = got["body"].splitlines()
    assert lines[:2] == [SENTENCE, ""]
    assert lines[2].startswith("run: ")
    assert lines[3].endswith(f"/runs/flow-run/{run_id(ran)}")


def run_id(ran: Ran) -> UUID | None:
    """The id of a run that has ended."""
    return ran.state.state_details.flow_run_id


def test_what_went_well_is_not_told(
    receiver: Receiver, told: Callable[..., str], ends: Callable[..., Ran]
) -> None:
    """No news is good news."""
    name = told()
    ends(Completed(message="churn version 3: delivered"))
    assert name not in receiver.got


def test_nothing_configured_makes_no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the log of a run does not speak of any."""
    monkeypatch.delenv(notices.NOTIFY, raising=False)
    assert hooks() == {}


def test_the_same_question_is_told_once_and_the_next_one_again(
    receiver: Receiver, told: Callable[..., str], ends: Callable[..., Ran]
) -> None:
    """Nightly runs that find it still open, each with words of its own, say nothing."""
    name = told()
    for night in range(3):
        ends(Completed(message=f"night {night}", name=AWAITING, data=OUTCOME))
    assert [got["body"].splitlines()[0] for got in receiver.got[name]] == ["night 0"]
    ends(Completed(message="another", name=AWAITING, data=OUTCOME.model_copy(update={"request": "beef"})))
    assert len(receiver.got[name]) == 2


def test_a_failure_is_told_each_time(
    receiver: Receiver, told: Callable[..., str], ends: Callable[..., Ran]
) -> None:
    """Each is one."""
    name = told()
    ends(Failed(message="disk full"))
    ends(Failed(message="disk full"))
    assert len(receiver.got[name]) == 2


def test_who_could_not_be_told_is_told_by_the_next_run(
    receiver: Receiver, told: Callable[..., str], ends: Callable[..., Ran], caplog: pytest.LogCaptureFixture
) -> None:
    """And the other, who was, is not told again; the run ends as it would have."""
    mattermost(int(receiver.address.rpartition(":")[2]), "hooks").save("ops", overwrite=True)
    name = told(also=", mattermost-webhook/ops")
    receiver.answers[name] = 500
    ran = ends(Completed(message=SENTENCE, name=REJECTED))
    assert ran.state.name == REJECTED
    assert warnings(caplog) == [
        f"custom-webhook/{name} was not told how the run ended: HTTPStatusError: it answered 500"
    ]
    assert len(receiver.got["hooks"]) == 1
    receiver.answers[name] = 200
    ends(Completed(message=SENTENCE, name=REJECTED))
    assert [len(receiver.got[name]), len(receiver.got["hooks"])] == [2, 1]


def mattermost(port: int, token: str) -> MattermostWebhook:
    """A block that sends through Apprise, as most do, to this machine."""
    return MattermostWebhook(hostname="127.0.0.1", token=SecretStr(token), port=port, secure=False)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the notices warned of."""
    return [
        one.getMessage()
        for one in caplog.records
        if one.name == "mlops_core.notices" and one.levelno >= logging.WARNING
    ]


def test_a_service_that_hangs_is_given_up(
    receiver: Receiver,
    told: Callable[..., str],
    ends: Callable[..., Ran],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run ends long before it answers."""
    monkeypatch.setattr(notices, "SECONDS", 0.5)
    name = told(url=receiver.url("slow"))
    ran = ends(ValueError("disk full"))
    assert not receiver.released.is_set()
    assert ran.state.is_failed()
    assert warnings(caplog) == [
        f"custom-webhook/{name} was not told how the run ended: no answer within 0.5 s: is it up?"
    ]


def test_what_cannot_be_sent_is_one_warning_a_block(
    prefect_server: None,
    ends: Callable[..., Ran],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It names the block and why, and no address: that may be the secret itself."""
    assert prefect_server is None  # it is up
    Secret(value=SecretStr("hush")).save("no-notifier", overwrite=True)
    mattermost(9, "T0KEN").save("shut", overwrite=True)
    refusing = CustomWebhookNotificationBlock(name="refusing", url="http://127.0.0.1:9/T0KEN")
    refusing.save("refusing", overwrite=True)
    reasons = {
        "slack-webhook/nobody": "Prefect has no such block",
        "secret/no-notifier": "it is a Secret, which is no notification block",
        "mattermost-webhook/shut": "A Connection error occurred sending Mattermost",
        "custom-webhook/refusing": "ConnectError: ",
    }
    monkeypatch.setenv(notices.NOTIFY, ", ".join(reasons))
    assert ends(Failed(message=SENTENCE)).state.message == SENTENCE
    found = warnings(caplog)
    assert len(found) == len(reasons)
    for warning, (block, reason) in zip(found, reasons.items(), strict=True):
        assert warning.startswith(f"{block} was not told how the run ended: ")
        assert reason in warning
    assert "T0KEN" not in "\n".join(found)


@pytest.mark.parametrize("wrong", ["ops", "slack-webhook/", "https://hooks.example.com/T0KEN", "a/b/c"])
def test_what_is_no_block_ends_a_run_before_it_begins(
    run_flow: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """With a sentence, in which no address stands."""

    class Nothing(BaseModel):
        pass

    @flow(name="configured")
    @typed_by(Nothing)
    def configured(_given: Nothing) -> None:
        pytest.fail("it began")

    monkeypatch.setenv(notices.NOTIFY, wrong)
    ran = run_flow(configured)
    assert isinstance(ran.result, DefinitionError)
    assert str(ran.state.message).startswith(f"the setting {notices.NOTIFY} cannot be used: give TYPE/NAME")
    assert "T0KEN" not in str(ran.state.message)


def test_blocks_are_read_from_a_list_with_commas() -> None:
    """Each once, whatever spaces there are."""
    assert blocks_of(" slack-webhook/ops,custom-webhook/pager , slack-webhook/ops,") == (
        "slack-webhook/ops",
        "custom-webhook/pager",
    )
    assert blocks_of(None) == ()


def test_the_page_s_block_is_made_and_told(
    receiver: Receiver,
    prefect_server: None,
    ends: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one of docs/notifications.md, but for its address."""
    assert prefect_server is None  # it is up
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    exec(code.replace("https://pager.example.com", receiver.address), {})  # noqa: S102 - our own page
    monkeypatch.setenv(notices.NOTIFY, "custom-webhook/pager")
    ends(Failed(message=SENTENCE), "churn")
    (got,) = receiver.got["hook?key=kept-out-of-the-address"]
    assert got["title"] == "churn: failed"
