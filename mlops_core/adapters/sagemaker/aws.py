"""The services of AWS that serving needs, by boto3; every refusal is translated here."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_core.adapters.sagemaker.errors import is_missing, is_there_already, refusal
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Aws"]

_SERVICES = {
    "put_metric_alarm": "cloudwatch",
    "describe_alarms": "cloudwatch",
    "delete_alarms": "cloudwatch",
    "invoke_endpoint": "sagemaker-runtime",
}
_ATTEMPTS = 5
_SECONDS_TO_CONNECT = 10
_SECONDS_TO_READ = 70  # a model may take 60 s to answer


class Aws:
    """SageMaker, its runtime and CloudWatch, by the credentials and the region that boto3 finds.

    `session` is a boto3 session, by default a new one. `attempts` counts all of one request, of which
    botocore's standard mode repeats those that were throttled or got lost. Raises `BadInput` where boto3 is
    not installed, at the first request.
    """

    def __init__(
        self, *, endpoint_url: str | None = None, session: Any = None, attempts: int = _ATTEMPTS
    ) -> None:
        self._endpoint_url, self._given, self._attempts = endpoint_url, session, attempts
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str:
        """The region that is asked."""
        return str(self._client("sagemaker").meta.region_name)

    def ask(self, action: str, **parameters: Any) -> dict[str, Any]:
        """The answer to an action, named as boto3's clients name it."""
        return self._answer(action, parameters, nothing=lambda _: False) or {}

    def look(self, action: str, **parameters: Any) -> dict[str, Any] | None:
        """The same; None where AWS says that there is no such thing."""
        return self._answer(action, parameters, nothing=is_missing)

    def make(self, action: str, **parameters: Any) -> bool:
        """Make something; False where there is something of that name already."""
        return self._answer(action, parameters, nothing=is_there_already) is not None

    def _answer(
        self, action: str, parameters: dict[str, Any], *, nothing: Callable[[Exception], bool]
    ) -> dict[str, Any] | None:
        """The answer; None for an error that means nothing."""
        core = self._core
        try:
            client = self._client(_SERVICES.get(action, "sagemaker"))
            answer: dict[str, Any] = getattr(client, action)(**parameters)
        except (core.BotoCoreError, core.ClientError) as error:
            if nothing(error):
                return None
            raise refusal(error, permission(action)) from error
        return answer

    @cached_property
    def _core(self) -> Any:
        try:
            import boto3  # type: ignore[import-untyped]  # noqa: F401 - no types; botocore alone is not enough
            from botocore import exceptions  # type: ignore[import-untyped]  # it has none
        except ImportError as error:
            raise BadInput(
                "MLOPS_TARGET is sagemaker, and AWS's client is not installed: "
                "pip install 'mlops-core[sagemaker]'"
            ) from error
        return exceptions

    @cached_property
    def _session(self) -> Any:
        import boto3

        return self._given if self._given is not None else boto3.Session()

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            from botocore.config import Config  # type: ignore[import-untyped]  # it has none

            self._clients[service] = self._session.client(
                service,
                endpoint_url=self._endpoint_url if service == "sagemaker" else None,
                config=Config(
                    retries={"mode": "standard", "total_max_attempts": self._attempts},
                    connect_timeout=_SECONDS_TO_CONNECT,
                    read_timeout=_SECONDS_TO_READ,
                ),
            )
        return self._clients[service]


def permission(action: str) -> str:
    """IAM's name of what an action needs: `sagemaker:CreateModel`."""
    service = _SERVICES.get(action, "sagemaker").removesuffix("-runtime")
    return f"{service}:{''.join(word.capitalize() for word in action.split('_'))}"
