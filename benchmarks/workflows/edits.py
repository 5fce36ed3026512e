"""What a scenario changes in its copy of the checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workflows.checkout import commit

if TYPE_CHECKING:
    from benchmarks.workflows.world import World

__all__ = ["replaced", "stand_in"]


def replaced(world: World, file: str, old: str, new: str) -> str:
    """Replace words of a file, which have to be there, and commit; returns the commit's id."""
    path = world.repository / file
    text = path.read_text()
    assert old in text, f"{file} does not have {old!r}"
    path.write_text(text.replace(old, new))
    return commit(world.repository, f"{file}: {new}")


def stand_in(world: World, *scripts: str, leaves: str = "") -> str:
    """Scripts of .ci/ that would take minutes do nothing but leave the files that later steps want."""
    for script in scripts:
        lines = [
            "#!/usr/bin/env bash",
            "set -euo pipefail",
            f"echo '.ci/{script} is not run here'",
            leaves,
            "",
        ]
        (world.repository / ".ci" / script).write_text("\n".join(lines))
    return commit(world.repository, f"stand-ins for {', '.join(scripts)}")
