"""Random documents: random pipelines with parameters, a schedule and a question to a person."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from mlops_core.domain.pipeline import Consent, PipelineDocument, Schedule
from mlops_core.exporters import document_of
from tests.exporters.pipelines import dags, names

__all__ = ["documents"]

schedules = st.builds(
    Schedule,
    cron=st.sampled_from(["0 6 * * 1", "*/5 0-6,12 1-31/2 JAN-MAR *"]),
    timezone=st.sampled_from(["UTC", "Europe/Berlin"]),
)
finite = st.floats(allow_nan=False, allow_infinity=False)
numerals = st.sampled_from(["1e5", "012", "0o7", "1_000", ".5", "~", "<<", "=", "12:30:45"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | finite | st.text(max_size=20) | numerals,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=5,
)


@st.composite
def documents(draw: st.DrawFn) -> PipelineDocument:
    """With everything that a document can say."""
    dag = draw(dags())
    asking = st.sampled_from(dag.topological_order()) if len(dag) else st.nothing()
    spans = st.timedeltas(timedelta(seconds=1), timedelta(days=400))
    return document_of(
        dag,
        name=draw(names),
        use_case=draw(st.none() | names),
        parameters=draw(st.dictionaries(st.text(max_size=12), values, max_size=4)),
        schedule=draw(st.none() | schedules),
        consent=draw(st.none() | st.builds(Consent, task=asking, expires=spans)),
    )
