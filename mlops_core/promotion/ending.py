"""How trials end in the ledger: by a person, by a promotion, or by the target that took a release back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from mlops_core.domain.ledger import Draft, TrialEnded
from mlops_core.errors import MlopsError
from mlops_core.promotion.record import mirror, record, standing_of

if TYPE_CHECKING:
    from mlops_core.domain.ledger import Entry
    from mlops_core.domain.standing import Standing
    from mlops_core.domain.traffic import Share, TargetStatus
    from mlops_core.ports import Engines

__all__ = ["ending", "settled", "share_of"]

_LOG = logging.getLogger(__name__)


def settled(engines: Engines, name: str) -> Standing:
    """Where versions stand, once what the target did by itself is in the ledger as well.

    A release that it took back is entered with its verdict, once, whoever looks. The version is then
    withdrawn, like one that was rolled back from. Raises what `Deployer.status` raises.
    """
    standing = standing_of(engines, name)
    if standing.trial is None or engines.dispatcher is not None:
        return standing
    status = engines.deployer.status(name)
    share = share_of(standing.trial, status)
    if share is None or share.ended is None:
        return standing
    tried, why = standing.trial, share.ended

    def wanted(now: Standing) -> list[Draft]:
        return [] if now.trial != tried else [_ended(tried, "target", share, f"target {status.target}", why)]

    standing = record(engines.ledger, name, wanted)
    try:
        mirror(engines, name)
    except MlopsError as error:  # the registry follows when it is there again; the verdict holds
        _LOG.warning("%s", error)
    return standing


def ending(
    engines: Engines,
    standing: Standing,
    by: Literal["person", "promotion", "another trial", "refused"],
    actor: str,
    reason: str,
) -> list[Draft]:
    """The entry by which the trial ends, if there is one; with its requests, if the target can tell."""
    tried = standing.trial
    if tried is None:
        return []
    try:
        share = share_of(tried, engines.deployer.status(standing.name))
    except MlopsError as error:
        _LOG.warning("how many requests the trial had is not known: %s", error)
        share = None
    return [_ended(tried, by, share, actor, reason)]


def share_of(tried: Entry, status: TargetStatus) -> Share | None:
    """The share at the target of what the ledger has on trial."""
    share = status.share
    same = share is not None and (share.version, share.digest) == (tried.version, tried.model)
    return share if same else None


def _ended(
    tried: Entry,
    by: Literal["target", "person", "promotion", "another trial", "refused"],
    share: Share | None,
    actor: str,
    reason: str,
) -> Draft:
    event = TrialEnded(
        by=by,
        requests=share.requests if share else None,
        errors=share.errors if share else None,
    )
    return Draft(version=tried.version, model=tried.model, event=event, actor=actor, reason=reason)
