"""A server and a worker that run exported flows: they know of this project only `mlops` on the PATH."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.exporters.document import document_of
from mlops_core.exporters.prefect import to_prefect
from tests.live.site import POOL, Site, succeeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.dag import PipelineDAG

__all__ = ["DEPLOYMENT", "ExportedSite"]

HERE = Path(__file__).parent
DEPLOYMENT = "churn/exported"
STAND_IN = """\
#!/bin/sh
# `mlops`, but that a stage ends as a line of its file here says, each line once
plan="$PLANS/$4"
if [ "$2" = run ] && [ -s "$plan" ]; then
    code=$(head -n 1 "$plan")
    sed -i 1d "$plan"
    [ "$code" = wait ] && exec sleep 600
    echo "mlops: $4: the store is out of reach" >&2
    exit "$code"
fi
exec "$MLOPS" "$@"
"""
RECORDER = """\
#!/bin/sh
# `mlops task run USE_CASE TASK --run DIR …`: notes that it was called, and fails where the task is to fail
printf '%s %s\\n' "$3" "$4" >>"$RECORDS/calls"
case $4 in fail*) echo "mlops: no luck with $4" >&2; exit 1 ;; esac
[ -e "$RECORDS/$3.$4" ] || { echo '{}'; exit; }
mkdir -p "$6"
echo '{"begun_at": "2026-02-01T00:00:00Z"}' >"$6/run.json"
cat "$RECORDS/$3.$4"
if grep -q told "$RECORDS/$3.$4"; then exit 3; fi
"""


class ExportedSite(Site):
    """A site whose deployment is an exported one, in a folder without this project."""

    plans: Path
    files: Path

    def export(self) -> None:
        """Export churn with a policy that asks, and deploy it."""
        self.files, self.plans = self.checkout.parent / "exported", self.checkout.parent / "plans"
        for folder in (self.files, self.plans, self.plans / "bin"):
            folder.mkdir()
        shutil.copy(HERE / "asking_churn.py", self.files)
        script = self.plans / "bin" / "mlops"
        script.write_text(STAND_IN)
        script.chmod(0o755)
        mlops = str(Path(sys.executable).with_name("mlops"))
        path = f"{script.parent}:{self.environment.variables['PATH']}"
        more = {"PATH": path, "PLANS": str(self.plans), "MLOPS": mlops}
        self.environment.variables = {**self.environment.variables, **more}
        words = ("export", "asking_churn:CHURN", "--to", "prefect", "--into", self.files)
        schedule = ("--schedule", "0 6 * * MON", "--timezone", "Europe/Berlin")
        succeeds(self.environment.run("mlops", *words, *schedule, cwd=self.files))
        succeeds(self.prefect("work-pool", "create", POOL, "--type", "process"))
        succeeds(self.environment.run("prefect", "--no-prompt", "deploy", "--all", cwd=self.files))

    def plan(self, stage: str, *codes: str) -> None:
        """Have the next processes of a stage end so."""
        (self.plans / stage).write_text("".join(f"{code}\n" for code in codes))

    def tasks(self, run: str) -> dict[str, dict[str, Any]]:
        """The newest task run of each stage by its name, which Prefect changes where it never began."""
        found = self.ask("/task_runs/filter", flow_runs={"id": {"any_": [run]}})
        ordered = sorted(found, key=lambda one: (one["flow_run_run_count"], one["created"]))
        return {one["name"].partition("-")[0]: one for one in ordered}

    def receipts(self, run: str) -> dict[str, Any]:
        """What the stages of a run left, by their names."""
        folder = self.environment.home / "prefect" / run / "receipts"
        return {one.stem: json.loads(one.read_text())["receipt"] for one in folder.glob("*.json")}

    def run_by_hand(self, folder: Path, dags: Mapping[str, PipelineDAG]) -> list[dict[str, Any]]:
        """Export these, and run each in one process with a `mlops` that only notes it: how each ended."""
        files = [folder / f"{name}_flow.py" for name in dags]
        for file, (name, dag) in zip(files, dags.items(), strict=True):
            file.write_text(to_prefect(document_of(dag, name=name), ()).flow)
        (folder / "mlops").write_text(RECORDER)
        (folder / "mlops").chmod(0o755)
        before = self.environment.variables
        more = {"PATH": f"{folder}:{before['PATH']}", "RECORDS": str(folder)}
        self.environment.variables = {**before, **more}
        done = self.environment.run("python", HERE / "exported_flows.py", *files, cwd=folder)
        self.environment.variables = before
        succeeds(done)
        told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"type"')]
        assert len(told) == len(dags)
        return told
