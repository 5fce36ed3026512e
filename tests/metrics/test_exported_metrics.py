"""What the package offers."""

from __future__ import annotations

from types import ModuleType

import mlops_core.metrics


def test_all_is_what_is_imported() -> None:
    """`__all__` names every public name of the package that is no module, each once."""
    names = [name for name, value in vars(mlops_core.metrics).items() if not isinstance(value, ModuleType)]
    assert sorted(mlops_core.metrics.__all__) == sorted(name for name in names if not name.startswith("_"))
