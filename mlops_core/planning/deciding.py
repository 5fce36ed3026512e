"""What is foreseen of the stages that decide: which version it is, may it serve, must a person be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_of
from mlops_core.domain.receipts import ApprovalReceipt, GateReceipt, ModelRegistryReceipt
from mlops_core.domain.registry import ModelVersion
from mlops_core.planning.foreseen import Foreseen, unless
from mlops_core.promotion import asked_already, standing_of
from mlops_core.stages import approval, gate, model_registry
from mlops_core.stages.model_evaluation import REPORT
from mlops_core.stages.model_evaluation import STAGE as EVALUATION

if TYPE_CHECKING:
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.receipts import EvaluationReceipt, ModelTrainingReceipt, TrainingSetReceipt
    from mlops_core.planning.foreseen import Outlook

__all__ = ["Subject", "foreseen_approval", "foreseen_gate", "foreseen_registry"]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The version that it will be about: `mine` once that is known, else one of `possible`, or a new one."""

    mine: ModelVersion | None
    possible: tuple[ModelVersion, ...]

    @property
    def is_new(self) -> bool:
        """Whether it can be none that there is."""
        return self.mine is None and not self.possible


def foreseen_registry(
    outlook: Outlook,
    rows: TrainingSetReceipt,
    trained: list[ModelTrainingReceipt],
    evaluation: EvaluationReceipt,
) -> tuple[Foreseen[ModelRegistryReceipt], Subject]:
    """A model that is registered keeps its version."""
    versions = outlook.engines.registry.versions(outlook.use_case.name)
    if outlook.unknown.maker(evaluation.model.digest) is not None:
        possible = tuple(one for one in versions if _may_be(outlook, one, rows, trained))
        subject = Subject(mine=None, possible=possible)
        receipt = _registration(outlook, None, evaluation)
        if not possible:
            why = "no version is of these definitions, candidates and rows"
            return Foreseen(status="run", receipt=receipt, why=why), subject
        why, after = unless((EVALUATION,)), (EVALUATION,)
        return Foreseen(status="depends", receipt=receipt, why=why, after=after), subject
    inputs = model_registry.model_registry_inputs(outlook.use_case, rows, evaluation)
    mine = next((one for one in versions if one.digest == inputs.data["model"]), None)
    receipt = _registration(outlook, mine, evaluation)
    if mine is None:
        why = "this model is not registered yet"
        return Foreseen(status="run", receipt=receipt, inputs=inputs, why=why), Subject(
            mine=None, possible=()
        )
    why, output = f"this model is version {mine.number}", f"version {mine.number}"
    found = Foreseen(status="reuse", receipt=receipt, inputs=inputs, why=why, output=output)
    return found, Subject(mine=mine, possible=(mine,))


def _registration(
    outlook: Outlook, mine: ModelVersion | None, evaluation: EvaluationReceipt
) -> ModelRegistryReceipt:
    mark = outlook.unknown.mark(model_registry.STAGE)
    return ModelRegistryReceipt(
        name=outlook.use_case.name,
        version=mine.number if mine else 0,
        digest=mine.digest if mine else mark,
        run_id=mine.run_id if mine else "",
        report=f"{evaluation.ref.uri}/{REPORT}",
    )


def _may_be(
    outlook: Outlook, version: ModelVersion, rows: TrainingSetReceipt, trained: list[ModelTrainingReceipt]
) -> bool:
    """Whether the model that comes out may be this version: all that is known of it is the same."""
    use_case, lineage, unknown = outlook.use_case, version.lineage, outlook.unknown
    if lineage.definitions != use_case.training_digest:
        return False
    if lineage.training_set != rows.ref.digest and unknown.maker(rows.ref.digest) is None:
        return False
    for candidate, one in zip(use_case.candidates, trained, strict=True):
        same_model = lineage.model in (None, one.ref.digest) or unknown.maker(one.ref.digest) is not None
        if lineage.candidate == digest_of(candidate) and same_model:
            return True
    return False


def foreseen_gate(
    outlook: Outlook, evaluation: EvaluationReceipt, subject: Subject
) -> tuple[Foreseen[None], GateDecision | None]:
    """It judges unless its decision is kept and the ledger has no newer one; see the stage."""
    engines, mine = outlook.engines, subject.mine
    if mine is None:
        fresh = _unregistered(outlook)
        standing = standing_of(engines, outlook.use_case.name)
        champion = gate.champion_for(engines, standing, fresh)
        inputs = gate.gate_inputs(outlook.use_case, evaluation, fresh, champion, engines=engines)
        if subject.is_new:
            return Foreseen(status="run", receipt=None, inputs=inputs, why="judges a new version"), None
        if any(_stands(outlook, evaluation, one) is not None for one in subject.possible):
            after = (model_registry.STAGE,)
            why = unless(after)
            found = Foreseen(status="depends", receipt=None, inputs=inputs, why=why, after=after)
            return found, None
        return Foreseen(status="run", receipt=None, inputs=inputs), None
    return _of_version(outlook, evaluation, mine)


def _unregistered(outlook: Outlook) -> ModelVersion:
    """Stands for a version that there is not yet, as far as the gate's inputs look at one."""
    mark = outlook.unknown.mark(model_registry.STAGE)
    outlook.unknown.also(f"version 0, {mark}", model_registry.STAGE)
    return ModelVersion.model_construct(number=0, digest=mark)  # type: ignore[call-arg]  # not all of it


def _of_version(
    outlook: Outlook, evaluation: EvaluationReceipt, mine: ModelVersion
) -> tuple[Foreseen[None], GateDecision | None]:
    engines = outlook.engines
    standing = standing_of(engines, outlook.use_case.name)
    decision = _stands(outlook, evaluation, mine)
    champion = gate.champion_for(engines, standing, mine)
    inputs = gate.gate_inputs(outlook.use_case, evaluation, mine, champion, engines=engines)
    makers = outlook.unknown.makers(inputs)
    if decision is None:
        kept = not makers and engines.workspace.find(inputs, GateReceipt) is not None
        why = "another decision was entered since this one was made: it is entered again" if kept else ""
        return Foreseen(status="run", receipt=None, inputs=inputs, why=why), None
    if gate.kept_decision(standing, mine) is not None:
        why = f"version {mine.number} is in Production by its decision"
        return Foreseen(status="reuse", receipt=None, why=why, output="ledger"), decision
    if makers:
        found = Foreseen(status="depends", receipt=None, inputs=inputs, why=unless(makers), after=makers)
        return found, None
    output = engines.workspace.uri(engines.workspace.folder(inputs))
    return Foreseen(status="reuse", receipt=None, inputs=inputs, output=output), decision


def _stands(outlook: Outlook, evaluation: EvaluationReceipt, mine: ModelVersion) -> GateDecision | None:
    """The newest decision on a version, where the gate would (or may, by what is known) decide just so."""
    standing = standing_of(outlook.engines, outlook.use_case.name)
    kept = gate.kept_decision(standing, mine)
    newest = standing.decisions.get(mine.number)
    if kept is not None or newest is None:
        return kept
    champion = gate.champion_for(outlook.engines, standing, mine)
    inputs = gate.gate_inputs(outlook.use_case, evaluation, mine, champion, engines=outlook.engines)
    found = outlook.may_be_kept(inputs, GateReceipt)
    return newest if newest.digest in {one.decision.digest for one in found} else None


def foreseen_approval(
    outlook: Outlook,
    registration: ModelRegistryReceipt,
    decision: GateDecision | None,
    subject: Subject,
) -> Foreseen[ApprovalReceipt]:
    """It asks once; what was asked before is not asked again."""
    receipt = ApprovalReceipt(status="not wanted", why="")
    if decision is None or subject.mine is None:
        if outlook.use_case.gate.approval is None:
            return Foreseen(status="reuse", receipt=receipt, why="the policy asks for no person's approval")
        why = "asks a person if the gate passes it and nobody was asked this"
        waiting = ApprovalReceipt(status="waiting", why=why)
        return Foreseen(status="depends", receipt=waiting, why=why, after=(gate.STAGE,))
    mine, engines = subject.mine, outlook.engines
    standing = standing_of(engines, outlook.use_case.name)
    inputs = approval.approval_inputs(registration, GateReceipt(decision=decision))
    unwanted = approval.unwanted(decision, standing, mine.number)
    if unwanted is not None:
        return Foreseen(status="reuse", receipt=receipt, inputs=inputs, why=unwanted)
    request = asked_already(engines, standing, mine, registration.report)
    if request is None:
        waiting = ApprovalReceipt(status="waiting", why="a person is asked")
        return Foreseen(status="run", receipt=waiting, inputs=inputs, why="asks a person")
    so_far = approval.answered(request)
    return Foreseen(status="reuse", receipt=so_far, inputs=inputs, why=so_far.why)
