"""What is foreseen of the feature store: are these events stored, and are online values made of them?"""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.adapters.feature_store.ingest.files import files_of
from mlops_core.deliveries import digest_of_given
from mlops_core.domain.history import HistoryVersion, Merged
from mlops_core.domain.receipts import FeatureStoreReceipt
from mlops_core.errors import MlopsError
from mlops_core.history import EventHistory
from mlops_core.planning.foreseen import Foreseen
from mlops_core.planning.unknown import INSTANT
from mlops_core.stages.feature_store import (
    STAGE,
    event_logs,
    feature_store_inputs,
    knowledge,
    served_otherwise,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase
    from mlops_core.planning.foreseen import Outlook

__all__ = ["foreseen_feature_store"]

_LOG = logging.getLogger(__name__)


def foreseen_feature_store(outlook: Outlook) -> Foreseen[FeatureStoreReceipt]:
    """It works when events have to be read, or when values were not made of them.

    Raises as the stage does for what is seen without reading: no data, a day before the first event.
    """
    versions, unread = _versions(outlook, outlook.use_case)
    events = _receipt(outlook, versions)
    inputs = feature_store_inputs(outlook.use_case, versions, outlook.as_of, engines=outlook.engines)
    if unread:
        said = tuple(f"data: {one}" for one in unread)
        return Foreseen(status="run", receipt=events, inputs=inputs, said=said)
    found = outlook.keyed(inputs, FeatureStoreReceipt, lambda: events)
    if found.status == "reuse" and _refreshes_served(outlook):
        why = "the values that the release reads are brought up to date, by its own definitions"
        return Foreseen(status="run", receipt=found.receipt, inputs=inputs, why=why)
    return found


def _versions(outlook: Outlook, use_case: UseCase) -> tuple[dict[str, HistoryVersion], list[str]]:
    """The version of each source that will hold, and a sentence for each that has to be read first."""
    history = EventHistory(use_case, outlook.engines)
    versions: dict[str, HistoryVersion] = {}
    unread: list[str] = []
    for source in use_case.sources:
        data = outlook.data.get(source.name)
        held = history.expected(source, data)
        if held is None:
            if isinstance(data, Path):
                files_of(data, source.name)  # raises, as the run would, when there are none
            unread.append(_unread(outlook, source, history))
            held = _to_be_read(outlook, source)
        versions[source.name] = held
    return versions, unread


def _receipt(outlook: Outlook, versions: Mapping[str, HistoryVersion]) -> FeatureStoreReceipt:
    log = versions[outlook.use_case.label.source]
    instant, known = (INSTANT, INSTANT) if log.first == INSTANT else knowledge(log, outlook.as_of)
    return FeatureStoreReceipt(
        events=event_logs(versions), as_of=instant, as_known_at=known, online_rows=0, online_digest=""
    )


def _to_be_read(outlook: Outlook, source: EventSource) -> HistoryVersion:
    mark = outlook.unknown.mark(STAGE, source.name)
    return HistoryVersion(
        number=0,
        uri=mark,
        digest=mark,
        file_digest=mark,
        rows=0,
        entities=0,
        first=INSTANT,
        last=INSTANT,
        stored_at=INSTANT,
        how="whole",
        given=None,
        changed=Merged(added=0, removed=0),
        delivered=0,
        late_by=timedelta(0),
    )


def _unread(outlook: Outlook, source: EventSource, history: EventHistory) -> str:
    """Why the events of a source have to be read."""
    name, data, versions = source.name, outlook.data.get(source.name), history.versions(source)
    given = digest_of_given(source, data, outlook.engines.code.of(STAGE))
    if given is None:
        return f"{name}: what comes is known only when it was read"
    if not versions:
        return f"{name}: no events are stored for these definitions yet"
    if given == versions[-1].given and not source.append:
        return f"{name}: the stored events were changed, and are made again"
    last = outlook.engines.workspace.journal.last(outlook.use_case.name, STAGE)
    inputs = feature_store_inputs(outlook.use_case, {}, outlook.as_of, engines=outlook.engines)
    if last is not None and (last.inputs.code, last.inputs.libraries) != (inputs.code, inputs.libraries):
        return f"{name}: its files are read again, by other code or libraries"
    return f"{name}: these files are new{', or their rules are' if source.rules else ''}"


def _refreshes_served(outlook: Outlook) -> bool:
    """Whether a release by other definitions serves whose values have to be made; see the stage."""
    try:
        theirs = served_otherwise(outlook.use_case, outlook.engines)
        if theirs is None:
            return False
        versions, unread = _versions(outlook, theirs)
        if unread:
            return True
        inputs = feature_store_inputs(theirs, versions, outlook.as_of, engines=outlook.engines)
        return outlook.engines.workspace.find(inputs, FeatureStoreReceipt) is None
    except MlopsError as error:  # as in the run, which says it and goes on
        _LOG.debug("the values that the release reads cannot be planned: %s", error)
        return False
