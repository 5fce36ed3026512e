"""From templates to pages: the environment and the style sheet that all pages share."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

__all__ = ["page"]


def page(template: str, **values: Any) -> str:
    """The page of a template of this folder. Values are escaped; only drawings of ours are `Markup`."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_source),
    )
    return environment.get_template(template).render(**values)


def _source(name: str) -> str:
    return files("mlops_core.adapters.reporter").joinpath(name).read_text(encoding="utf-8")
