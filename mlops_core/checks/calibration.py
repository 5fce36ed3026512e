"""Do predictions mean what they say? Probabilities as often as they say, numbers neither high nor low."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_core.checks.answer import answered, failed, not_applicable, told
from mlops_core.checks.limits import finite, unmeasured
from mlops_core.errors import MlopsError
from mlops_core.metrics import bias

if TYPE_CHECKING:
    from mlops_core.checks.judged import Judged
    from mlops_core.domain.gates import Check, GatePolicy

__all__ = ["calibration"]

_NAME = "calibration"


def calibration(policy: GatePolicy, judged: Judged) -> Check:
    """The expected calibration error, or for numbers the bias in standard deviations of the label."""
    limit = policy.calibration
    if limit is None:
        return not_applicable(_NAME, "lifted by the policy")
    if judged.task == "regression":
        return _bias(limit, judged)
    interval = finite("calibration_error", judged)
    if interval is None:
        return failed(_NAME, unmeasured("calibration_error", judged))
    value = interval.value
    good = value <= limit
    sentence = (
        f"calibration error {told(value, limit)}, which is how far probabilities are from frequencies: "
        f"{'at most' if good else 'more than'} {limit:g}"
    )
    return answered(_NAME, good, sentence, {"calibration_error": value, "limit": limit})


def _bias(limit: float, judged: Judged) -> Check:
    try:
        value = bias(judged.truth, judged.challenger.scores)
    except MlopsError as error:
        return failed(_NAME, f"the bias cannot be computed: {error}")
    if not math.isfinite(value):
        return answered(_NAME, False, f"the bias is {value}", {"bias": value, "limit": limit})
    good = value <= limit
    sentence = (
        f"predictions are off by {told(value, limit)} standard deviations of the label on average: "
        f"{'at most' if good else 'more than'} {limit:g}"
    )
    return answered(_NAME, good, sentence, {"bias": value, "limit": limit})
