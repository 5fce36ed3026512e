"""What a platform does for `RemoteDeployer`: run servers of published releases, and send callers to them.

A platform is told of a release by where its files lie and by the digest of its manifest, and starts the
server's image with just that (`Placed.environment`): a server that finds other files there does not get
ready. What serves is asked from the platform itself, which keeps the `Placed` beside what it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from mlops_core.domain.digest import digest_bytes
from mlops_core.domain.traffic import Bounds, Served, Share, TargetStatus
from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.domain.release import Release

__all__ = ["Placed", "Platform", "Seen", "Trial", "plain_name"]


def plain_name(name: str, *, longest: int = 40) -> str:
    """The name of a use case in lower case, digits and dashes, at most so long; other names, other words."""
    plain = name.lower().replace("_", "-").strip("-")
    if plain == name and len(plain) <= longest:
        return plain
    mark = digest_bytes(name.encode())[:6]
    return f"{plain[: longest - 7].rstrip('-')}-{mark}"


class Placed(Value):
    """A published release as a platform is told of it.

    `url` is the folder that holds release.json, `manifest` the SHA-256 of that file's bytes and `digest` that
    of the model.
    """

    name: str
    version: int
    digest: str
    url: str
    manifest: str

    @classmethod
    def of(cls, release: Release, manifest: str) -> Self:
        """A release whose manifest has this digest."""
        return cls(
            name=release.name,
            version=release.version,
            digest=release.digest,
            url=release.uri,
            manifest=manifest,
        )

    @property
    def label(self) -> str:
        """Names it among the releases of its model: `<version>-<digest12>-<manifest8>`.

        Lower case, digits and dashes, so that it can be part of what any platform names.
        """
        return f"{self.version}-{self.digest[:12]}-{self.manifest[:8]}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which `mlops serve` serves it, and nothing else."""
        return {"MLOPS_RELEASE": self.url, "MLOPS_RELEASE_MANIFEST": self.manifest}

    @property
    def served(self) -> Served:
        """As the port tells of it."""
        return Served(version=self.version, digest=self.digest, release=self.url)


class Trial(Value):
    """A release on trial, see `Share`."""

    placed: Placed
    percent: int
    shadow: bool = False
    bounds: Bounds = Bounds()
    ended: str | None = None
    requests: int | None = None
    errors: int | None = None

    @property
    def share(self) -> Share:
        """As the port tells of it."""
        told = self.model_dump(include={"percent", "shadow", "ended", "requests", "errors"})
        return Share(**self.placed.served.model_dump(), **told)


class Seen(Value):
    """What a platform does for a name now; see `TargetStatus`."""

    state: Literal["nothing", "ready", "changing", "failed"] = "nothing"
    serving: Placed | None = None
    trial: Trial | None = None
    why: str | None = None

    def status(self, name: str, target: str) -> TargetStatus:
        """As the port tells of it."""
        return TargetStatus(
            name=name,
            target=target,
            state=self.state,
            serving=self.serving.served if self.serving else None,
            share=self.trial.share if self.trial else None,
            why=self.why,
        )


class Platform(Protocol):
    """Servers of published releases on machines of somebody else's.

    All is idempotent and finishes what a killed or timed-out call left half done. Errors of the platform's
    client are translated: `BadInput` for credentials or settings that are missing or refused and for a quota
    that is used up (and says which), `Unavailable` for one that is out of reach, throttles, or is not done
    within MLOPS_TARGET_TIMEOUT; `MlopsError` for the rest, with the platform's own words.
    """

    @property
    def target(self) -> str:
        """What messages and `TargetStatus` call it: kubernetes, sagemaker, vertex."""

    def serve(self, placed: Placed) -> None:
        """Have all callers answered by this release; returns once they are, and ends a trial.

        What served answers them until then. Where the platform itself goes back, what served before serves
        again and `IntegrityError` says why.
        """

    def share(self, trial: Trial) -> None:
        """Have the trial's share of the requests answered by its release; returns once it answers.

        There is something that serves, and it is another release. Another trial is replaced. Raises
        `BadInput` for a shadow where the platform knows none.
        """

    def withdraw(self, name: str) -> None:
        """End a trial; nothing happens when there is none, or nothing of that name."""

    def seen(self, name: str) -> Seen:
        """What the platform does for a name."""

    def ask(self, placed: Placed, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of this release, which serves or is on trial, to a request of the inference protocol.

        Asked by the platform's own way to a model, so that all between callers and the model is tried.
        """
