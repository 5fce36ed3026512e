"""moto's server with our endpoints in place of its own, and clients that check what they send.

S3 is asked over the line, on a free port. What boto3 sends to the other services is handed to the same
application in this process, which takes half the time.
"""

from __future__ import annotations

import io
import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]  # it has no types
import moto.backends
import moto.sagemaker.responses as of_sagemaker
import moto.sagemakerruntime.responses as of_runtime
import pytest
from botocore.awsrequest import AWSResponse  # type: ignore[import-untyped]  # neither has this
from moto.core.responses import ActionResult
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.server import ThreadedMotoServer
from werkzeug.test import Client

from mlops_core.adapters.sagemaker.aws import Aws
from tests.sagemaker.account import REGION, check_config, check_model, configs
from tests.sagemaker.callers import FakeSageMaker
from tests.sagemaker.request_checks import check_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["KEYS", "MotoAWS"]

KEYS = {
    "AWS_ACCESS_KEY_ID": "of-nobody",
    "AWS_SECRET_ACCESS_KEY": "of-nobody",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
_OTHERS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SAGEMAKER")


class MotoAWS:
    """One server, to be started once and stopped.

    `endpoints` is what it does; `before` is run before each request of boto3's is sent.
    """

    def __init__(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self._patch = pytest.MonkeyPatch()
        modules = tuple(moto.backends.list_of_moto_modules())  # else a folder is read at each request
        self._patch.setattr(moto.backends, "list_of_moto_modules", lambda: modules)
        self.endpoints = FakeSageMaker()
        self.before: Callable[[], None] = lambda: None
        self._answer_instead_of_moto()
        self._client = Client(DomainDispatcherApplication(create_backend_app))
        self._server.start()
        self.url = "http://{}:{}".format(*self._server.get_host_and_port())
        self.session = self.signed_in()
        with self.environment():
            self.aws = Aws(session=self.session, attempts=1)
            self.aws.look("describe_endpoint", EndpointName="none")

    def stop(self) -> None:
        """Stop the server and leave moto as it was."""
        self._server.stop()
        self._patch.undo()

    @contextmanager
    def environment(self) -> Iterator[None]:
        """What a process has that is signed in here."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (*KEYS.items(), ("AWS_ENDPOINT_URL", self.url)):
                patch.setenv(name, value)
            for name in _OTHERS:
                patch.delenv(name, raising=False)
            yield

    def signed_in(self) -> Any:
        """A session whose requests are checked."""
        session = boto3.Session("of-nobody", "of-nobody", region_name=REGION)
        check_requests(session)
        session.events.register("before-send", self._handed_over)
        return session

    def _handed_over(self, request: Any, **_: Any) -> Any:
        """The answer of the application in this process; None for what is meant for somebody else."""
        self.before()
        if not request.url.startswith(self.url):
            return None
        headers = [(key, _text(one)) for key, one in request.headers.items()]
        path = request.url.removeprefix(self.url)
        answer = self._client.open(
            path, base_url=self.url, method=request.method, data=request.body, headers=headers
        )
        told = {key.lower(): value for key, value in answer.headers.items()}
        return AWSResponse(request.url, answer.status_code, told, _Body(answer.data))

    def _answer_instead_of_moto(self) -> None:
        told = self.endpoints
        response = of_sagemaker.SageMakerResponse
        moto_model, moto_config = response.create_model, response.create_endpoint_config

        def create_model(self: Any) -> Any:
            check_model(_body(self))
            return moto_model(self)

        def create_endpoint_config(self: Any) -> Any:
            body = _body(self)
            check_config(body)
            answer = moto_config(self)
            made = configs()[body["EndpointConfigName"]]
            vars(made)["shadow_production_variants"] = body.get("ShadowProductionVariants", [])
            return answer

        ours: dict[str, Callable[[Any], Any]] = {
            "create_model": create_model,
            "create_endpoint_config": create_endpoint_config,
            "create_endpoint": lambda self: _arn(told.create(_body(self))),
            "update_endpoint": lambda self: _arn(told.update(_body(self))),
            "update_endpoint_weights_and_capacities": lambda self: _arn(told.weigh(_body(self))),
            "describe_endpoint": lambda self: ActionResult(told.describe(_body(self)["EndpointName"])),
            "delete_endpoint": lambda self: _arn(told.delete(_body(self)["EndpointName"])),
        }
        for name, answer in ours.items():
            self._patch.setattr(response, name, self._unless_failing(name, answer), raising=False)
        for name in ("describe_model", "describe_endpoint_config", "list_models"):
            self._patch.setattr(response, name, self._unless_failing(name, getattr(response, name)))
        invoked = self._unless_failing("invoke_endpoint", lambda self: _invoked(told, self))
        self._patch.setattr(of_runtime.SageMakerRuntimeResponse, "invoke_endpoint", invoked)

    def _unless_failing(self, name: str, answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
        endpoints = self.endpoints

        def failing_or_not(self: Any) -> Any:
            for failing in (name, "*"):
                if failing in endpoints.failing:
                    code, words = endpoints.failing[failing]
                    told = json.dumps({"__type": code, "message": words})
                    return told, {"status": 400, "x-amzn-errortype": code}
            return answer(self)

        return failing_or_not


class _Body(io.BytesIO):
    """The bytes of an answer, as urllib3 gives them."""

    def stream(self, _size: int = 0, **_: Any) -> Iterator[bytes]:
        """All at once."""
        yield self.read()


def _invoked(endpoints: FakeSageMaker, request: Any) -> Any:
    name = request.path.split("/")[2]
    variant = request.headers.get("X-Amzn-SageMaker-Target-Variant")
    status, by, answer = endpoints.invoke(name, variant, json.loads(request.body))
    headers = {"Content-Type": "application/json", "x-Amzn-Invoked-Production-Variant": by}
    if status == 200:
        return json.dumps(answer), headers
    words = f'Received server error ({status}) from {by} with message "{json.dumps(answer)}".'
    told = {"Message": words, "OriginalStatusCode": status, "OriginalMessage": json.dumps(answer)}
    return json.dumps(told), {**headers, "status": 424, "x-amzn-errortype": "ModelError"}


def _body(request: Any) -> dict[str, Any]:
    return dict(json.loads(request.body))


def _text(header: str | bytes) -> str:
    return header.decode() if isinstance(header, bytes) else header


def _arn(arn: str) -> ActionResult:
    return ActionResult({"EndpointArn": arn})
