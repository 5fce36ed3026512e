"""A registered version made again from its lineage, and compared with what was registered."""

from mlops_core.reproduction.at_commit import ended_in_order, reproduce_at_commit
from mlops_core.reproduction.reproduce import reproduce
from mlops_core.reproduction.reproduction import (
    ChangedRows,
    Difference,
    Digest,
    Moved,
    Reproduction,
    SourceRead,
    Verdict,
)
from mlops_core.reproduction.telling import told

__all__ = [
    "ChangedRows",
    "Difference",
    "Digest",
    "Moved",
    "Reproduction",
    "SourceRead",
    "Verdict",
    "ended_in_order",
    "reproduce",
    "reproduce_at_commit",
    "told",
]
