"""What the live tests of a new use case share with the others."""

from tests.live.conftest import environment

__all__ = ["environment"]
