"""What AWS and its client refuse, in our words: what was asked for, and what to do."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from mlops_core.adapters.sagemaker import SageMakerPlatform
from mlops_core.adapters.sagemaker.aws import permission
from mlops_core.adapters.sagemaker.errors import is_missing, is_there_already, refusal
from mlops_core.errors import BadInput, MlopsError, Unavailable
from mlops_core.settings import Settings

QUOTA = "The account-level service limit 'ml.m5.large for endpoint usage' is 2 Instances, with current …"


class Answer(Exception):
    """An error of botocore, as far as it is looked at."""

    def __init__(self, code: str, words: str, status: int = 400, **told: Any) -> None:
        super().__init__(words)
        self.response = {
            "Error": {"Code": code, "Message": words},
            "ResponseMetadata": {"HTTPStatusCode": status},
            **told,
        }


@pytest.mark.parametrize(
    ("code", "words", "kind", "says"),
    [
        ("AccessDeniedException", "not authorized", BadInput, "the permission sagemaker:CreateModel"),
        (
            "AccessDeniedException",
            "to perform iam:PassRole",
            BadInput,
            "iam:PassRole for the role of MLOPS_SA",
        ),
        ("ResourceLimitExceeded", QUOTA, BadInput, "the quota 'ml.m5.large for endpoint usage' is used up"),
        ("ExpiredTokenException", "expired", BadInput, "have expired. Sign in again"),
        ("UnrecognizedClientException", "invalid", BadInput, "does not know them"),
        ("InvalidSignatureException", "does not match", BadInput, "does not know them"),
        ("ThrottlingException", "Rate exceeded", Unavailable, "Run the same again"),
        ("ValidationException", 'Cannot update in-progress endpoint "a".', Unavailable, "somebody else"),
        ("ValidationException", "Could not assume role arn:…", BadInput, "MLOPS_SAGEMAKER_ROLE"),
        ("ValidationException", "Something else", MlopsError, "said ValidationException: Something else"),
    ],
)
def test_a_refusal_says_what_to_do(code: str, words: str, kind: type[MlopsError], says: str) -> None:
    found = refusal(Answer(code, words), permission("create_model"))
    assert type(found) is kind
    assert says in str(found)
    assert "sagemaker:CreateModel" in str(found)


def test_a_service_that_is_ill_is_asked_again() -> None:
    assert type(refusal(Answer("InternalFailure", "", 500), "sagemaker:CreateModel")) is Unavailable


def test_what_a_model_s_server_said_is_passed_on() -> None:
    error = Answer(
        "ModelError", "Received server error (500)", 424, OriginalMessage='{"error": "no features"}'
    )
    assert "no features" in str(refusal(error, permission("invoke_endpoint")))


def test_a_page_of_text_is_cut() -> None:
    assert len(str(refusal(Answer("ValidationException", "word " * 1000), "sagemaker:CreateModel"))) < 600


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("NoCredentialsError", BadInput, "Sign in"),
        ("SSOTokenLoadError", BadInput, "aws sso login"),
        ("ProfileNotFound", BadInput, "AWS_PROFILE"),
        ("NoRegionError", BadInput, "AWS_REGION"),
        ("EndpointConnectionError", Unavailable, "out of reach"),
        ("ReadTimeoutError", Unavailable, "out of reach"),
        ("ParamValidationError", MlopsError, "its client refused"),
    ],
)
def test_what_its_client_refuses_is_told_apart(name: str, kind: type[MlopsError], says: str) -> None:
    found = refusal(type(name, (Exception,), {})("words"), "sagemaker:CreateModel")
    assert type(found) is kind
    assert says in str(found)


def test_what_is_not_there_and_what_is_there_are_no_errors() -> None:
    assert is_missing(Answer("ValidationException", "Could not find endpoint"))
    assert not is_missing(Answer("AccessDeniedException", "Could not find endpoint"))
    assert is_there_already(Answer("ValidationException", "Cannot create already existing model"))
    assert not is_there_already(Answer("ValidationException", "Could not find endpoint"))


@pytest.mark.parametrize(
    ("action", "needs"),
    [
        ("put_metric_alarm", "cloudwatch:PutMetricAlarm"),
        ("invoke_endpoint", "sagemaker:InvokeEndpoint"),
        ("update_endpoint_weights_and_capacities", "sagemaker:UpdateEndpointWeightsAndCapacities"),
    ],
)
def test_a_permission_is_named_as_iam_names_it(action: str, needs: str) -> None:
    assert permission(action) == needs


def test_an_installation_without_the_client_is_told_of_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is first needed: the settings can be shown without."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    platform = SageMakerPlatform.of(Settings(artifacts="s3://releases/models"))
    with pytest.raises(BadInput, match=r"pip install 'mlops-core\[sagemaker\]'"):
        platform.seen("churn")
