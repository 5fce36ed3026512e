"""What all flows have in common: who checks their parameters, and who is told how they end."""

from __future__ import annotations

from typing import Any

from flows.notices import hooks

__all__ = ["OPTIONS"]

OPTIONS: Any = {  # Any: Prefect types each option by itself
    "validate_parameters": False,  # `typed_by` does, with our sentence, wherever the values come from
    **hooks(),
}
