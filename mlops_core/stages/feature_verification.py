"""Online equals offline, or nothing is deployed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mlops_core.domain.inputs import Inputs
from mlops_core.domain.online import ExpectedValues
from mlops_core.domain.receipts import ParityReport
from mlops_core.errors import IntegrityError
from mlops_core.online_parity import SAMPLE, compare_online, expected_values, sampled
from mlops_core.progress import tell, within
from mlops_core.provenance import libraries

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.receipts import FeatureStoreReceipt
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["STAGE", "feature_verification", "feature_verification_inputs"]

STAGE = "feature_verification"
_LOG = logging.getLogger(__name__)


def feature_verification(
    use_case: UseCase, events: FeatureStoreReceipt, *, engines: Engines, sample: int = SAMPLE
) -> ParityReport:
    """Compare the online values of `sample` entities with history at the same instant.

    What history says is read once for the same events; the online store is asked every time. Nothing is
    compared while the online store stands at a later instant than this run knows. Raises `IntegrityError`
    when values differ, so that nothing which depends on this runs.
    """
    state = engines.online.state(use_case.online_name)
    if state is not None and state.as_of > events.as_of:
        reason = f"online values stand as of {state.as_of:%Y-%m-%d}, which this run does not know"
        _LOG.info("feature_verification: %s", reason)
        return ParityReport(as_of=state.as_of, compared=0, skipped=reason)
    expected = _expected(use_case, events, engines, sample)
    tell("comparing with online values", 0.8)
    report = compare_online(use_case, engines.online, expected, events.as_of)
    if not report.equal:
        raise IntegrityError(
            f"{use_case.name}: online values differ from history at {report.as_of:%Y-%m-%d %H:%M} UTC: "
            f"{difference(report)}. Nothing was deployed. Bring them in again with "
            f"`mlops features materialise {use_case.name} --anew`, and see who else writes to that store"
        )
    return report


def feature_verification_inputs(
    use_case: UseCase, events: FeatureStoreReceipt, *, engines: Engines, sample: int = SAMPLE
) -> Inputs:
    """What decides the sample of history that online values are compared with."""
    return Inputs(
        stage=STAGE,
        use_case=use_case.name,
        data={name: log.ref.digest for name, log in events.events.items()},
        definitions=use_case.feature_parts,
        parameters={**events.knowledge, "sample": sample},
        code=dict(engines.code.parts(STAGE)),
        libraries=libraries(),
    )


def difference(report: ParityReport) -> str:
    """What differs, in words."""
    parts = [f"{name} in {count:,}" for name, count in sorted(report.differing.items())]
    if report.missing:
        parts.insert(0, f"{report.missing:,} are not online")
    return f"of {report.compared:,} entities {', '.join(parts)}"


def _expected(
    use_case: UseCase, events: FeatureStoreReceipt, engines: Engines, sample: int
) -> ExpectedValues:
    workspace = engines.workspace
    inputs = feature_verification_inputs(use_case, events, engines=engines, sample=sample)

    def make(folder: Path) -> ExpectedValues:  # noqa: ARG001 - there is nothing but the values
        files = {name: workspace.path(log.ref.uri) for name, log in events.events.items()}
        with within(0.0, 0.8):
            table = expected_values(
                use_case, engines.offline, files, events.as_of, as_known_at=events.as_known_at, sample=sample
            )
        return sampled(use_case, table)

    return workspace.produce(inputs, ExpectedValues, make)
