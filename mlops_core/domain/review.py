"""What a reviewer said where a workflow waited for one."""

from __future__ import annotations

from mlops_core.domain.value import Value

__all__ = ["Review"]


class Review(Value):
    """The word of one person; `actor` is who, as the ledger has it, such as `github:ann`."""

    actor: str
    consent: bool
    comment: str = ""
