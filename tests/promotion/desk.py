"""What people and pipelines do with the versions of a model; used by tests with engines of any kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.digest import digest_of
from mlops_core.domain.gates import Approval, Check, GateDecision, GatePolicy
from mlops_core.domain.profiles import Distribution, FeatureProfile
from mlops_core.domain.registry import Lineage, Submission
from mlops_core.domain.release import Probes
from mlops_core.promotion import answer, ask, decide, enter, put_into_production, roll_back, standing_of
from mlops_core.provenance import Code

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.domain.standing import Request, Standing
    from mlops_core.ports import Trainer

NAME = "churn"
POLICY = GatePolicy(floor=0.7)
ASKING = POLICY.model_copy(update={"approval": Approval()})
REPORT = "report.html"
CODE = Code({}).whole


@dataclass
class Desk:
    """What people and pipelines do with the versions of one model."""

    engines: Any
    policy: GatePolicy = POLICY

    @property
    def standing(self) -> Standing:
        """Where the versions stand now."""
        return standing_of(self.engines, NAME)

    @property
    def stages(self) -> dict[int, str]:
        """The stage of every version."""
        return dict(self.standing.stages)

    @property
    def kinds(self) -> list[tuple[str, int]]:
        """What happened, in order, to which version."""
        return [(entry.event.kind, entry.version) for entry in self.standing.entries]

    @property
    def served(self) -> int | None:
        """The version that the target serves."""
        release = self.engines.deployer.current(NAME)
        return release.version if release else None

    def register(self, seed: int) -> ModelVersion:
        """A version of a model of its own."""
        return enter(self.engines, submission(self.engines.workspace.home, seed, self.engines.trainer))

    def decision(self, version: ModelVersion, *failed: str, **changes: Any) -> GateDecision:
        """What the gate would say against the champion of this moment."""
        standing = self.standing
        rival = standing.production if standing.production != version.number else None
        checks = [Check(name="floor", outcome="passed", sentence="roc_auc is 0.81")]
        checks += [Check(name=name, outcome="failed", sentence=f"{name} is too bad") for name in failed]
        made = GateDecision(
            verdict="rejected" if failed else "passed",
            version=version.number,
            model_digest=version.digest,
            champion=rival,
            champion_digest=standing.models[rival] if rival else None,
            checks=tuple(checks),
            policy=self.policy,
            code=self.engines.code.whole,
        )
        return made.model_copy(update=changes)

    def judged(self, seed: int, *failed: str) -> ModelVersion:
        """A version that the gate has decided on."""
        version = self.register(seed)
        decide(self.engines, version, self.decision(version, *failed))
        return version

    def promote(self, version: ModelVersion, **options: Any) -> Release:
        """Put a version into Production."""
        words = {"actor": "ana", "reason": "it passed", **options}
        return put_into_production(self.engines, version, words.pop("policy", self.policy), **words)

    def delivered(self, *seeds: int) -> list[ModelVersion]:
        """Versions that went to Production one after the other."""
        versions = []
        for seed in seeds:
            versions.append(self.judged(seed))
            self.promote(versions[-1])
        return versions

    def ask(self, version: ModelVersion) -> Request:
        """Ask for a person's consent."""
        return ask(self.engines, version, REPORT)

    def answer(self, version: ModelVersion, consent: bool = True, **options: Any) -> Standing:
        """A person's answer."""
        words = {"actor": "bo", "reason": "read the report", "policy": self.policy, **options}
        return answer(self.engines, version, consent=consent, **words)

    def roll_back(self, to: int | None = None, **options: Any) -> Release:
        """Back to what served before."""
        return roll_back(self.engines, NAME, to=to, **{"actor": "ana", "reason": "complaints", **options})


def submission(home: Path, seed: int, trainer: Trainer) -> Submission:
    """A small fitted model, as the pipeline hands it to a registry; each seed gives another digest."""
    import numpy as np  # here: the processes that are killed need none

    random = np.random.default_rng(seed)
    rows = random.normal(size=(40, 2))
    labels = (rows[:, 0] + random.normal(size=40) > 0).astype(np.int8)
    model = trainer.fit(LogisticRegression(), rows, labels)
    folder = home / "models" / str(seed)
    if not folder.exists():
        folder.mkdir(parents=True)
        model.save(folder)
        (home / REPORT).write_text("<p>a good model</p>")
    flat = Distribution(edges=(0.0,), shares=(0.5, 0.5), missing=0.0)
    return Submission(
        name=NAME,
        digest=digest_of([model.digest(), seed]),
        candidate="logistic",
        folder=str(folder),
        documents=(str(home / REPORT),),
        feature_names=("orders", "spend"),
        threshold=0.4,
        metrics={"roc_auc": 0.81},
        parameters={},
        use_case='{"name": "churn"}',
        lineage=Lineage(
            use_case=NAME,
            data={"orders": digest_of(["data", seed])},
            definitions=digest_of("definitions"),
            training_set=digest_of(["rows", seed]),
            candidate=digest_of("candidate"),
            code=CODE,
            as_of=datetime(2024, 5, 31, tzinfo=UTC),
        ),
        probes=Probes(
            rows=tuple(tuple(map(float, row)) for row in rows[:3]),
            expected=tuple(map(float, model.predict(rows[:3]))),
        ),
        profile=FeatureProfile(rows=40, features={"orders": flat, "spend": flat}),
    )
