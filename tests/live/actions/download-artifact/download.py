"""The stub's work: what download-artifact v8 does, from a folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

target, merge = Path(os.environ["TARGET"]), os.environ["MERGE"] == "true"
found = sorted(Path(os.environ["ARTIFACTS"]).glob(os.environ["PATTERN"]))
for artifact in found:
    into = target if merge or len(found) == 1 else target / artifact.name
    shutil.copytree(artifact, into, dirs_exist_ok=True)
