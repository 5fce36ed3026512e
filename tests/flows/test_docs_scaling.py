"""docs/scaling.md: its settings are ones there are, its commands are understood, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import prefect.settings
import pytest
from prefect.settings import temporary_settings
from pydantic import SecretStr

from mlops_core.options import OptionParser, add_options
from mlops_core.settings import Settings
from mlops_core.validation import validated

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scaling.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
MODELS = {"churn": "ChurnParameters", "backfill": "BackfillParameters"}


def exported(prefix: str) -> Iterator[tuple[str, str]]:
    for block in BLOCKS:
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["export"] and words[1].startswith(prefix):
                name, _, value = words[1].partition("=")
                yield name, value


@pytest.mark.parametrize(("name", "value"), list(exported("MLOPS_")))
def test_a_setting_of_ours_is_taken(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    found = getattr(Settings.load(), name.removeprefix("MLOPS_").lower())
    assert str(found) == value


@pytest.mark.parametrize(("name", "value"), list(exported("PREFECT_")))
def test_a_setting_of_prefect_s_is_one(name: str, value: str) -> None:
    """By its full name, with a value that it takes."""
    setting = getattr(prefect.settings, name)
    with temporary_settings({setting: value}):
        found = setting.value()
    assert (found.get_secret_value() if isinstance(found, SecretStr) else found) == value


def test_the_page_s_flows_take_their_options() -> None:
    commands = [shlex.split(line) for line in re.findall(r"^python (flows/.*)$", PAGE, re.MULTILINE)]
    assert len(commands) == 3
    for file, *options in commands:
        name = Path(file).stem
        model = getattr(import_module(f"flows.{name}"), MODELS[name])
        parser = OptionParser(prog=file)
        add_options(parser, model)
        given = validated(model, vars(parser.parse(options)))
        assert given.workers in (2, 4)


def test_the_page_s_extras_are_there() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {one for group in re.findall(r"mlops-core\[([a-z,]+)\]", PAGE) for one in group.split(",")}
    assert named == {"dask", "ray", "postgresql", "redis"}
    assert named <= extras.keys()


def test_the_page_s_links_lead_somewhere() -> None:
    headings = {line.lower() for line in re.findall(r"^## (.*)$", PAGE, re.MULTILINE)}
    for link in re.findall(r"\]\(([^)]*)\)", PAGE):
        file, _, heading = link.partition("#")
        assert (ROOT / "docs" / file).exists() if file else heading in headings


def test_the_page_s_benchmark_runs_as_shown() -> None:
    (module,) = re.findall(r"python -m (benchmarks\.\w+)", PAGE)
    assert callable(import_module(module).main)
    assert module in sys.modules
