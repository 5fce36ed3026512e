"""Settings of where models are served and how: the targets, and the server."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

__all__ = ["ServerSettings", "TargetSettings"]

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/?[A-Za-z0-9_+=,.@/-]+")  # as SageMaker's API has it
_IMAGE = re.compile(r"[a-z0-9]+([._/:-]+[A-Za-z0-9]+)*(@sha256:[0-9a-f]{64})?")


class ServerSettings(BaseSettings):
    """What `mlops serve` goes by, wherever it runs."""

    token: SecretStr | None = Field(
        default=None,
        description="What callers of the server must send as `Authorization: Bearer …`; by default nothing.",
    )
    rate_limit: float | None = Field(
        default=None, gt=0, description="Requests a second that one caller may make; by default any number."
    )
    max_body: int = Field(
        default=8 * 2**20, ge=1024, description="Bytes that a request's body may have; by default 8 MiB."
    )
    max_requests: int = Field(
        default=200, ge=1, description="Requests that may be under way at once; by default 200."
    )
    drain: float = Field(
        default=0.0,
        ge=0,
        le=600,
        description="Seconds that the server still takes requests, not ready any more, after SIGTERM.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="How the server writes its log: for a person, or one JSON object a line."
    )
    release: str | None = Field(
        default=None,
        description="The folder or URL of one release that `mlops serve` serves, as a container does.",
    )
    release_manifest: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="Digest that the manifest of `release` must have; without it nobody vouches for it.",
    )
    host: str = Field(default="127.0.0.1", description="The address that `mlops serve` listens at.")
    # Not `port`: Kubernetes gives pods a variable MLOPS_PORT where a Service is called mlops
    http_port: int = Field(
        default=8080, ge=0, le=65535, description="The port that `mlops serve` listens at, 0 for a free one."
    )

    @field_validator("token")
    @classmethod
    def _sent_in_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not re.fullmatch(r"[!-~]{16,}", token.get_secret_value()):
            raise ValueError("give 16 letters, digits and signs of ASCII or more, without blanks")
        return token


class TargetSettings(BaseSettings):
    """Where versions in Production are served."""

    target: Literal["local", "kubernetes", "sagemaker", "vertex"] = Field(
        default="local", description="What serves the version in Production; see docs/targets.md."
    )
    target_timeout: float = Field(
        default=1800.0, gt=0, description="Seconds that a target may take to go over to another release."
    )
    artifacts: str | None = Field(
        default=None,
        description="Where releases lie for a target on other machines: a URL, s3://BUCKET/PREFIX or so.",
    )
    image: str | None = Field(
        default=None,
        description="The server's image as a container engine names it: REGISTRY/NAME@sha256:… or so.",
    )
    instances: int = Field(default=2, ge=1, description="How many servers a target runs at least.")
    max_instances: int = Field(default=4, ge=1, description="How many servers a target runs at most.")

    kubernetes_context: str | None = Field(
        default=None, description="The context of kubeconfig; by default the current one, or the pod's own."
    )
    kubernetes_namespace: str = Field(default="default", description="The namespace that models run in.")
    kubernetes_gateway: str | None = Field(
        default=None,
        description="[NAMESPACE/]NAME of the Gateway that callers come through; a share of them needs one.",
    )
    kubernetes_secret: str | None = Field(
        default=None,
        description="A Secret whose entries are settings of the server, such as MLOPS_ONLINE_STORE.",
    )
    kubernetes_service_account: str | None = Field(
        default=None,
        description="The service account that servers read releases as; by default the namespace's own.",
    )

    sagemaker_role: str | None = Field(
        default=None, description="ARN of the role that the models of SageMaker run as."
    )
    sagemaker_instance: str = Field(default="ml.m5.large", description="SageMaker's type of instance.")
    sagemaker_bake: int = Field(
        default=600,
        ge=0,
        le=3600,
        description="Seconds that SageMaker watches the first servers of another release before it goes on.",
    )
    sagemaker_endpoint_url: str | None = Field(
        default=None, description="Where SageMaker's API is, for a private endpoint; by default AWS's."
    )

    vertex_project: str | None = Field(default=None, description="The project of Google Cloud.")
    vertex_location: str = Field(default="europe-west1", description="The region of Vertex AI.")
    vertex_machine: str = Field(default="n1-standard-2", description="Vertex AI's type of machine.")
    vertex_service_account: str | None = Field(
        default=None,
        description="The e-mail of the account that servers at Vertex AI run as; it may read the artifacts.",
    )
    vertex_endpoint: str | None = Field(
        default=None, description="HOST:PORT of Vertex AI's API, for a private endpoint; by default Google's."
    )

    @field_validator("sagemaker_role")
    @classmethod
    def _a_role(cls, role: str | None) -> str | None:
        if role is not None and not _ROLE.fullmatch(role):
            raise ValueError(f"give arn:aws:iam::ACCOUNT:role/NAME, got {role!r}")
        return role

    @field_validator("image")
    @classmethod
    def _an_image(cls, image: str | None) -> str | None:
        if image is not None and not _IMAGE.fullmatch(image):
            raise ValueError(f"give REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:…, got {image!r}")
        return image

    @field_validator("artifacts")
    @classmethod
    def _a_url(cls, artifacts: str | None) -> str | None:
        if artifacts is not None and not re.match(r"[a-z0-9]+://[^/]|file:///", artifacts):
            raise ValueError(f"give a URL such as s3://BUCKET/PREFIX, got {artifacts!r}")
        return artifacts
