"""The address of a request as metrics and logs name it: `/v2/models/{name}`, never what a caller made up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PathTemplates"]


class PathTemplates:
    """The templates that an application has addresses by, `{…}` standing for one part.

    By the address alone, so that a request has one even where it is refused before it is routed.
    """

    def __init__(self, templates: Iterable[str]) -> None:
        found = sorted(templates)
        self._plain = {template for template in found if "{" not in template}
        self._patterns = [(_pattern(template), template) for template in found if "{" in template]

    def of(self, path: str) -> str:
        """The template of a path; empty where nothing is."""
        if path in self._plain:
            return path
        return next((template for pattern, template in self._patterns if pattern.fullmatch(path)), "")


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", template)
    return re.compile("[^/]+".join(map(re.escape, parts)))
