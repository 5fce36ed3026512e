"""The files of a new use case: a module, a flow, a deployment and a test, for two kinds of folder.

In a checkout of this repository a use case lies beside the others and its flow is as thin as theirs. Anywhere
else `flows/` is not there (it is no part of the package), so the flow is the one that `mlops export --to
prefect` writes, which needs nothing but `mlops` on the PATH.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from mlops_core.exporters.python_source import WIDTH, Code, literal
from mlops_core.scaffold.pytest_file import test_text
from mlops_core.scaffold.source import comment, names_in, source_of

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.exporters.prefect import PrefectFiles
    from mlops_core.scaffold.draft import Draft
    from mlops_core.scaffold.look import Look

__all__ = ["Place", "is_checkout", "module_text", "with_entry"]


def is_checkout(folder: Path) -> bool:
    """Whether this is a checkout of the project itself, whose flows are there to be imported."""
    return all((folder / one).is_file() for one in ("mlops_core/usecases/find.py", "flows/delivery.py"))


@dataclass(frozen=True)
class Place:
    """Where the files of a use case go below `folder`, and how commands find it there."""

    name: str
    folder: Path
    checkout: bool

    @property
    def attribute(self) -> str:
        """The name of the definition in its module."""
        return self.name.upper()

    @property
    def known_as(self) -> str:
        """How commands are told."""
        return self.name if self.checkout else f"{self.name}:{self.attribute}"

    @property
    def module(self) -> str:
        """The definitions."""
        return f"mlops_core/usecases/{self.name}.py" if self.checkout else f"{self.name}.py"

    @property
    def flow(self) -> str:
        """The flow."""
        return f"flows/{self.name}.py" if self.checkout else f"{self.name}_flow.py"

    def path_code(self, events: Path) -> Code:
        """The events' place as source: seen from the module where they lie below the folder."""
        absolute, home = events.absolute(), self.folder.absolute()
        if not absolute.is_relative_to(home):
            return Code(f"Path({literal(str(absolute))})")
        up = "parents[2]" if self.checkout else "parent"
        return Code(f"Path(__file__).{up} / {literal(absolute.relative_to(home).as_posix())}")

    def texts(self, draft: Draft, look: Look, exported: PrefectFiles) -> dict[str, str]:
        """Every file but prefect.yaml, by its path below the folder; the module's code is in `draft`."""
        flow = _thin_flow(self) if self.checkout else exported.flow
        return {
            self.module: module_text(draft, self),
            self.flow: flow,
            f"tests/test_{self.name}.py": test_text(draft.use_case, look, self.known_as),
        }

    def entry(self, exported: PrefectFiles, deployments: str) -> str:
        """The deployment, as a text that can stand at the end of prefect.yaml with `deployments`."""
        if not self.checkout:
            return exported.deployment.partition("deployments:\n")[2]
        base = "  - <<: *one_at_a_time\n    name" if "&one_at_a_time" in deployments else "  - name"
        return (
            f"{base}: on-demand\n"
            f"    description: Deliver {self.name}; run with your own events, as-of date or floor.\n"
            f"    entrypoint: flows.{self.name}.{self.name}\n"
            f"    tags: [mlops-core, {self.name}]\n"
        )


def with_entry(there: str, entry: str) -> str | None:
    """prefect.yaml with one more deployment at its end; None where that would change anything else in it."""
    try:
        before = yaml.safe_load(there)
        (added,) = yaml.safe_load(re.sub(r"<<: \*\w+\n +", "", entry))
    except (yaml.YAMLError, ValueError, TypeError):
        return None
    if not isinstance(before, dict) or not isinstance(before.get("deployments"), list):
        return None
    lines = entry.rstrip("\n").split("\n")
    indent = len(lines[0]) - len(lines[0].lstrip())
    for wanted in (0, 2, 4):
        moved = "\n".join(" " * wanted + line[indent:] for line in lines)
        text = f"{there.rstrip(chr(10))}\n\n{moved}\n"
        try:
            after = yaml.safe_load(text)
        except yaml.YAMLError:
            continue
        if _is_one_more(before, after, added):
            return text
    return None


def _is_one_more(before: dict[str, object], after: object, added: dict[str, object]) -> bool:
    old = before["deployments"]
    if not isinstance(after, dict) or not isinstance(old, list):
        return False
    new = after.get("deployments")
    rest = {name: value for name, value in after.items() if name != "deployments"}
    same = rest == {name: value for name, value in before.items() if name != "deployments"}
    if not same or not isinstance(new, list) or new[:-1] != old or not isinstance(new[-1], dict):
        return False
    return {**new[-1], **added} == new[-1]


def module_text(draft: Draft, place: Place) -> str:
    """The definitions as a module, each with its reason."""
    use_case = draft.use_case
    path = use_case.sources[0].path
    assert path is not None  # noqa: S101 - the draft is made from it
    code = place.path_code(path)
    names = ",\n    ".join(sorted(names_in(use_case), key=lambda name: (name.islower(), name)))
    source = source_of(use_case, draft.reasons, code)
    lines = [
        line
        if len(line) <= WIDTH or " " not in line.strip()
        else f"{line}  # noqa: E501 - a path is one word"
        for line in source.split("\n")
    ]
    left = "\n".join(comment(f"Not read: {'; '.join(draft.left_out)}.", 0)) if draft.left_out else ""
    return f'''"""{_title(draft)}

Proposed by `mlops new` from a look at the data, with the reason for each part: read it, and change what you
know better. `mlops run {place.known_as}` delivers it.
"""

from __future__ import annotations

from pathlib import Path

from mlops_core.definitions import (
    {names},
)

__all__ = ["{place.attribute}"]

{left}{chr(10) if left else ""}{place.attribute} = {chr(10).join(lines)}
'''


def _title(draft: Draft) -> str:
    label, entity = draft.use_case.label, draft.use_case.entity.name
    if label.kind == "no_event_within":
        return f"Which {entity} will have no event in the next {label.horizon.days} days?"
    column = " ".join(label.column.replace("\\", " ").replace('"', " ").split())
    return f"How much {column} will each {entity} have in the next {label.horizon.days} days?"


def _thin_flow(place: Place) -> str:
    title = "".join(part.capitalize() for part in place.name.split("_"))
    return f'''"""Deliver the {place.name} model with Prefect: `python flows/{place.name}.py --help`."""

from __future__ import annotations

import sys
from typing import Any

if __name__ == "__main__":  # a run by hand chooses its server before Prefect reads its settings
    from flows import server

    server.start()

from prefect import flow

from flows.delivery import deliver
from flows.options import OPTIONS
from flows.parameters import typed_by, with_runner
from mlops_core.parameters import parameters_of
from mlops_core.usecases.{place.name} import {place.attribute}

{title}Parameters = with_runner(parameters_of({place.attribute}))


@flow(name="{place.name}", **OPTIONS)
@typed_by({title}Parameters)
def {place.name}(given: Any) -> Any:
    """Features, candidates, evaluation, registry, gate and release of the {place.name} model."""
    return deliver({place.attribute}, given)


if __name__ == "__main__":
    from flows.shell import run_from_shell

    sys.exit(run_from_shell({place.name}, {title}Parameters))
'''
