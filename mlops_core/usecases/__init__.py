"""Use cases: definitions only, what a user copies. `find` gets one by its name."""

from mlops_core.usecases.find import find

__all__ = ["find"]
