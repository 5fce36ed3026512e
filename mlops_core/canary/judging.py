"""What the answers of a canary are held to: one function a check, the answers in, a sentence out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.checks.answer import answered, failed, not_applicable, told
from mlops_core.domain.metrics import task_of
from mlops_core.errors import MlopsError
from mlops_core.metrics.shift import shift_by_task

if TYPE_CHECKING:
    from mlops_core.canary.caller import Caller
    from mlops_core.canary.result import Limits
    from mlops_core.domain.gates import Check
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.ports import Deployer

__all__ = ["FEWEST_ENTITIES", "answers", "at_the_target", "latency", "probes", "served", "shifted"]

FEWEST_ENTITIES = 50
"""Of fewer the index says nothing: from no change at all it is about 20/n by chance (B. Yurdakul,
"Statistical Properties of Population Stability Index", 2018)."""

_SLOWEST = 0.99


def served(release: Release | None, version: ModelVersion) -> Check:
    """What serves is this version, by number and digest."""
    if release is None:
        return failed("served", "nothing serves")
    good = (release.version, release.digest) == (version.number, version.digest)
    sentence = f"version {release.version} serves, digest {release.digest[:12]}"
    if not good:
        sentence += f", and not version {version.number}, digest {version.digest[:12]}"
    return answered("served", good, sentence, {})


def at_the_target(deployer: Deployer, release: Release) -> Check:
    """The target itself, asked by the way that callers ask, predicts as at training."""
    rows, tolerance = len(release.probes.rows), release.probes.tolerance
    try:
        difference = deployer.verify(release)
    except MlopsError as error:
        return failed("target", str(error))
    sentence = (
        f"the target predicts {rows} rows as at training: the largest difference is {difference:.2g}, at "
        f"most {tolerance:.0e}"
    )
    return answered("target", True, sentence, {"tolerance": tolerance}, {"difference": difference})


def answers(caller: Caller) -> Check:
    """Every request was answered with finite numbers, by the version that was asked."""
    asked, wrong = caller.asked, caller.failures
    if not wrong:
        return answered("answers", True, f"all of {asked:,} requests were answered", {"requests": asked})
    then = "; no more were made" if caller.given_up else ""
    sentence = f"{len(wrong):,} of {asked:,} requests failed{then}. The first: {wrong[0]}"
    return answered("answers", False, sentence, {})


def probes(release: Release, scores: tuple[float, ...] | None) -> Check:
    """By rows it predicts over HTTP as it did at training."""
    expected, tolerance = release.probes.expected, release.probes.tolerance
    if scores is None or len(scores) != len(expected):
        return failed("probes", f"its {len(expected)} probe rows were not answered")
    difference = float(np.max(np.abs(np.array(scores) - np.array(expected))))
    good = difference <= tolerance
    sentence = (
        f"over {len(expected)} rows the largest difference from the predictions at training is "
        f"{difference:.2g}: {'at most' if good else 'not at most'} {tolerance:.0e}"
    )
    return answered("probes", good, sentence, {"tolerance": tolerance}, {"difference": difference})


def latency(caller: Caller, beside: Caller | None, limits: Limits) -> Check:
    """99 of 100 requests by id took at most so long, one at a time, on this machine."""
    took, limit = caller.milliseconds, limits.latency_ms
    if not took:
        return failed("latency", "no request by id was answered whose time could be taken")
    slowest, middle = float(np.quantile(took, _SLOWEST)), float(np.median(took))
    measured = {"p99_ms": slowest, "median_ms": middle}
    sentence = f"99 of 100 requests take at most {told(slowest, limit, places=1)} ms (median {middle:.1f})"
    if beside is not None and beside.milliseconds:
        theirs = float(np.quantile(beside.milliseconds, _SLOWEST))
        measured |= {"p99_ms of what serves": theirs, "ratio": slowest / theirs}
        sentence += f", {slowest / theirs:.1f} times what version {beside.release.version} takes"
    if limit is None:
        return not_applicable("latency", f"{sentence}; lifted").model_copy(update={"measured": measured})
    good = slowest <= limit
    sentence = f"{sentence}: {'at most' if good else 'not at most'} {limit:g} ms"
    return answered("latency", good, sentence, {"limit": limit}, measured)


def shifted(caller: Caller, beside: Caller | None, limits: Limits, without: str) -> Check:
    """Scores lie as those of what serves, on the same entities; `without` says why nothing is beside it."""
    if beside is None:
        return not_applicable("shift", without)
    both = [key for key in caller.scores if key in beside.scores]
    against = f"version {beside.release.version}"
    if beside.failures and not beside.scores:
        return not_applicable("shift", f"{against} does not answer itself ({beside.failures[0]})")
    if len(both) < FEWEST_ENTITIES:
        said = f"{len(both)} entities have scores of both versions, and it takes {FEWEST_ENTITIES}"
        return failed("shift", said) if caller.failures else not_applicable("shift", said)
    mine, theirs = (np.array([one.scores[key] for key in both]) for one in (caller, beside))
    task, other = task_of(caller.release.threshold), task_of(beside.release.threshold)
    if task != other:
        mine_is, theirs_is = ("a number" if one == "regression" else "a probability" for one in (task, other))
        said = f"it predicts {mine_is} where {against} predicts {theirs_is}: callers would not understand it"
        return failed("shift", said)
    index = shift_by_task(theirs, mine, task)
    sentence = (
        f"scores moved from those of {against} by a population stability index of "
        f"{told(index, limits.shift)}, in the mean from {told(float(theirs.mean()))} to "
        f"{told(float(mine.mean()))}"
    )
    figures = {"psi": index, "mean": float(mine.mean()), "mean of what serves": float(theirs.mean())}
    if task == "classification":
        changed = float(np.mean([caller.labels[key] != beside.labels[key] for key in both]))
        sentence += f"; {changed:.1%} of labels change"
        figures["labels changed"] = changed
    if limits.shift is None:
        return not_applicable("shift", f"{sentence}; lifted", **figures)
    good = index <= limits.shift
    sentence = f"{sentence}: {'at most' if good else 'not at most'} {limits.shift:g}"
    return answered("shift", good, sentence, {**figures, "limit": limits.shift})
