"""The stub's work: what download-artifact v8 does, from a folder."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

name, target, merge = os.environ["NAME"], Path(os.environ["TARGET"]), os.environ["MERGE"] == "true"
found = sorted(Path(os.environ["ARTIFACTS"]).glob(name or os.environ["PATTERN"]))
if name and not found:
    sys.stdout.write(f"::error::Artifact not found for name: {name}\n")
    sys.exit(1)
for artifact in found:
    into = target if merge or len(found) == 1 else target / artifact.name
    shutil.copytree(artifact, into, dirs_exist_ok=True)
