"""Who answers callers, and a version on trial, as facts and as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import moment, one_line, say, warn

if TYPE_CHECKING:
    from mlops_core.domain.standing import Standing
    from mlops_core.domain.traffic import Share, TargetStatus

__all__ = ["facts_of_traffic", "tell_traffic"]


def facts_of_traffic(standing: Standing, status: TargetStatus) -> dict[str, Any]:
    """The status, and how the trial began by the ledger."""
    tried = standing.trial
    return status.model_dump(mode="json") | {
        "tried": None
        if tried is None
        else {
            "version": tried.version,
            "at": tried.at.isoformat(),
            "actor": tried.actor,
            "reason": tried.reason,
            **tried.event.model_dump(mode="json", include={"percent", "shadow", "bounds"}),
        }
    }


def tell_traffic(standing: Standing, status: TargetStatus) -> None:
    """Both in a few lines, and where they differ."""
    why = f": {one_line(status.why)}" if status.why else ""
    say(f"{status.name} at its target, {status.target}: {status.state}{why}")
    serving, share, tried = status.serving, status.share, standing.trial
    if serving is not None:
        say(f"  serving   version {serving.version}, digest {serving.digest[:12]}, from {serving.release}")
    if share is not None:
        _tell_share(share)
    if tried is not None:
        who, reason = one_line(tried.actor, 30), one_line(tried.reason)
        say(f"            since {moment(tried.at)} UTC, by {who}: {reason}")
        if share is None or (share.version, share.digest) != (tried.version, tried.model):
            warn(
                f"mlops: by the ledger version {tried.version} is on trial, at the target it is not: try it "
                f"again, or enter its end with `mlops traffic {status.name} --end --reason …`"
            )


def _tell_share(share: Share) -> None:
    who = f"version {share.version}, digest {share.digest[:12]}"
    if share.ended is not None:
        say(f"  ended     {who}, was taken back: {one_line(share.ended)}")
    else:
        how = "is asked beside it, for" if share.shadow else "answers"
        say(f"  trial     {who}, {how} {share.percent} % of requests")
    if share.requests is not None:
        errors = f", {share.errors:,} of them failed" if share.errors is not None else ""
        say(f"            {share.requests:,} requests were given to it{errors}")
