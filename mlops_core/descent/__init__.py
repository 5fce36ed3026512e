"""The graph of a version: what it was made from, what was decided on it, and where it was served."""

from mlops_core.descent.later import descent_with_events, descent_with_history, descent_with_target
from mlops_core.descent.origin import descent_of

__all__ = ["descent_of", "descent_with_events", "descent_with_history", "descent_with_target"]
