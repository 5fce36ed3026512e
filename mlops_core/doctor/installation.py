"""Python, and what is installed beside this package: by its own metadata, without importing any of it."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from typing import TYPE_CHECKING

from mlops_core.doctor.finding import Finding, note, ok, problem

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from mlops_core.settings import Settings

__all__ = ["DISTRIBUTION", "extras", "needed", "packages", "python"]

DISTRIBUTION = "mlops-core"
_WHY = {  # what a version outside of the range is known to break
    "sqlalchemy": "with 2.1 Prefect's schedules never fire",
    "fastapi": "0.151 and later break Prefect's server",
}
_OWN_USE = {"dev"}  # extras that nobody needs who does not work on this package


def python() -> list[Finding]:
    """Whether this Python is new enough, and where it is."""
    from packaging.specifiers import SpecifierSet

    wanted = metadata(DISTRIBUTION)["Requires-Python"] or ""
    mine = ".".join(str(part) for part in sys.version_info[:3])
    if not SpecifierSet(wanted).contains(mine, prereleases=True):
        remedy = f"make a virtual environment with Python {wanted} and install there"
        return [problem("python", f"{mine} at {sys.executable}; wanted is {wanted}", remedy)]
    if sys.prefix == sys.base_prefix:
        return [note("python", f"{mine} at {sys.executable}, in no virtual environment")]
    return [ok("python", f"{mine} at {sys.executable}")]


def packages() -> list[Finding]:
    """Every package that the base install names, against the range that it names."""
    wanted = [one for one in _requirements() if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = [finding for one in wanted if (finding := _unlike(one))]
    own = f"{DISTRIBUTION} {version(DISTRIBUTION)}"
    return wrong or [ok("packages", f"{own}; all {len(wanted)} packages it needs are in the ranges it names")]


def extras(settings: Settings | None) -> list[Finding]:
    """Which extras are installed, which are not and what to type; one that the settings need is a problem."""
    there: list[str] = []
    absent: list[str] = []
    for extra in metadata(DISTRIBUTION).get_all("Provides-Extra") or []:
        if extra not in _OWN_USE:
            (there if _is_whole(extra) else absent).append(extra)
    missing = [extra for extra in needed(settings) if extra in absent] if settings else []
    found = [
        problem("extras", f"the settings need {extra}, which is not installed", _install(extra))
        for extra in missing
    ]
    says = f"installed: {', '.join(there) or 'none'}; not installed: {', '.join(absent) or 'none'}"
    remedy = f"{_install(absent[0])}, or another of them, when you want it" if absent else ""
    return [*found, Finding(check="extras", state="ok", says=says, remedy=remedy)]


def needed(settings: Settings) -> list[str]:
    """The extras without which these settings cannot be followed."""
    urls = [url or "" for url in (settings.ledger, settings.tracking_uri)]
    wanted = {
        "redis": settings.online_store.startswith(("redis:", "rediss:", "unix:")),
        "postgresql": any(url.startswith("postgresql") for url in urls),
        "spark": settings.offline_store == "spark",
        "ray": settings.ray_address is not None,
        "dask": settings.dask_address is not None,
        settings.target: settings.target != "local",
    }
    return [extra for extra, is_wanted in wanted.items() if is_wanted]


def _requirements() -> list[Requirement]:
    from packaging.requirements import Requirement

    return [Requirement(line) for line in requires(DISTRIBUTION) or []]


def _unlike(wanted: Requirement) -> Finding | None:
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return problem("packages", f"{wanted.name} is not installed", _again(wanted))
    if wanted.specifier.contains(found, prereleases=True):
        return None
    why = f": {_WHY[wanted.name]}" if wanted.name in _WHY else ""
    return problem("packages", f"{wanted.name} is {found}, wanted is {wanted.specifier}{why}", _again(wanted))


def _again(wanted: Requirement) -> str:
    return f"pip install '{wanted.name}{wanted.specifier}'"


def _is_whole(extra: str) -> bool:
    mine = [one for one in _requirements() if one.marker and "extra" in str(one.marker)]
    return all(_unlike(one) is None for one in mine if one.marker and one.marker.evaluate({"extra": extra}))


def _install(extra: str) -> str:
    return f"pip install -e '.[{extra}]' in the project's folder"
