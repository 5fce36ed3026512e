"""Google's refusals in our words."""

from __future__ import annotations

import pytest

from mlops_core.adapters.vertex.errors import Purpose, no_credentials, refusal
from mlops_core.errors import BadInput, MlopsError, NotFound, Unavailable

exceptions = pytest.importorskip("google.api_core.exceptions")

DEPLOY = Purpose("deploy v2 of churn", "aiplatform.endpoints.deploy")
CODES = {
    "INVALID_ARGUMENT": BadInput,
    "NOT_FOUND": NotFound,
    "PERMISSION_DENIED": BadInput,
    "UNAUTHENTICATED": BadInput,
    "RESOURCE_EXHAUSTED": BadInput,
    "ALREADY_EXISTS": Unavailable,
    "ABORTED": Unavailable,
    "DEADLINE_EXCEEDED": Unavailable,
    "UNAVAILABLE": Unavailable,
    "OUT_OF_RANGE": BadInput,
    "FAILED_PRECONDITION": MlopsError,
    "CANCELLED": MlopsError,
    "UNKNOWN": MlopsError,
    "UNIMPLEMENTED": MlopsError,
    "INTERNAL": MlopsError,
    "DATA_LOSS": MlopsError,
}


def refused(code: str, says: str) -> MlopsError:
    """The error for a call that Google answered with this."""
    import grpc  # type: ignore[import-untyped]  # it ships no types

    return refusal(exceptions.from_grpc_status(grpc.StatusCode[code], says), DEPLOY)


def test_every_code_of_grpc_has_a_meaning() -> None:
    """All of google.rpc.Code but OK, as Google's own client raises them."""
    import grpc

    assert set(CODES) == {code.name for code in grpc.StatusCode} - {"OK"}
    for code, wanted in CODES.items():
        error = refused(code, "some words")
        assert type(error) is wanted, code
        assert str(error).startswith("Vertex AI, asked to deploy v2 of churn, said 'some words'"), code


@pytest.mark.parametrize(
    ("code", "says", "kind", "remedy"),
    [
        ("RESOURCE_EXHAUSTED", "Quota exceeded: requests per minute per region", Unavailable, "in a minute"),
        ("RESOURCE_EXHAUSTED", "quota limits: custom_model_serving_cpus", BadInput, "MLOPS_VERTEX_MACHINE"),
        (
            "FAILED_PRECONDITION",
            "There are other operations running on the Endpoint",
            Unavailable,
            "once that",
        ),
        ("FAILED_PRECONDITION", "Model server exited unexpectedly", MlopsError, "what served before still"),
        ("UNAVAILABLE", "Getting metadata from plugin failed: invalid_grant", BadInput, "hold no more"),
        ("UNAVAILABLE", "failed to connect to all addresses", Unavailable, "out of reach"),
        ("PERMISSION_DENIED", "denied", BadInput, r"needs aiplatform\.endpoints\.deploy"),
        ("UNAUTHENTICATED", "invalid", BadInput, "gcloud auth application-default login"),
        ("NOT_FOUND", "no such project", NotFound, "MLOPS_VERTEX_PROJECT and MLOPS_VERTEX_LOCATION"),
    ],
)
def test_each_says_what_to_do(code: str, says: str, kind: type[MlopsError], remedy: str) -> None:
    with pytest.raises(kind, match=remedy) as caught:
        raise refused(code, says)
    assert type(caught.value) is kind


def test_what_google_says_is_one_line_of_bounded_length() -> None:
    said = str(refused("INTERNAL", "a\nb\x1b[31m" + "c" * 5000))
    assert "\n" not in said
    assert "\x1b" not in said
    assert len(said) < 600


def test_a_machine_without_credentials_is_told_how_to_sign_in() -> None:
    said = str(no_credentials(ValueError("File key.json was not found.")))
    assert "File key.json was not found." in said
    assert "GOOGLE_APPLICATION_CREDENTIALS" in said
