"""Makes the pictures of docs/ui.md and docs/approval.png: real runs on a real server, in Chromium.

`python docs/ui_screenshots.py` puts a checkout with a server, a worker and its state below /srv/mlops, a path
that says nothing of this machine, and removes it again. Needs `chromium` on the PATH; takes three minutes.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from chromium import Page, browsing
from ui_site import Site

DOCS = Path(__file__).parent
FOLDER = Path("/srv/mlops")
USE_CASE = "mlops_core/usecases/churn.py"
ASKING = (
    "        confidence=0.95,\n",
    "        confidence=0.95,\n        approval=Approval(by_another=True),\n",
)
IMPORT = (
    "from mlops_core.definitions import (",
    "from mlops_core.domain.gates import Approval\n\nfrom mlops_core.definitions import (",
)


def main() -> None:
    """Run, and take the pictures."""
    if FOLDER.exists():
        sys.exit(f"{FOLDER} is there already; remove it if it is left from an earlier run of this")
    try:
        with (
            TemporaryDirectory(ignore_cleanup_errors=True) as folder,
            browsing(Path(folder)) as page,
            Site(FOLDER) as site,
        ):
            taken(site, page)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


def taken(site: Site, page: Page) -> None:
    """All of them, each when there is something to see."""
    first = site.run("churn/on-demand", as_of="1998-03-31")
    progress(site, page, first)
    site.once(first)
    run_page(site, page, first, "ui-run.png", 880)
    artifact(site, page, first, "churn-report", "ui-report.png", 1000)
    artifact(site, page, first, "churn-summary", "ui-summary.png", 1000)
    site.once(site.run("churn/on-demand", as_of="1998-05-31", floor=0.95))  # for the list: it is rejected
    definitions = site.checkout / USE_CASE
    definitions.write_text(definitions.read_text().replace(*ASKING).replace(*IMPORT))
    asked = site.run("churn/on-demand")
    site.once(asked)
    artifact(site, page, asked, "churn-metrics", "ui-metrics.png", 600)
    artifact(site, page, asked, "churn-gate", "ui-gate.png", 640)
    approval(site, page)
    form(site, page)
    page.open(f"{site.url}/v2/deployments", shows="nightly", width=1300, height=760)
    page.picture(DOCS / "ui-deployments.png")
    backfill = site.run("backfill/on-demand", first="1998-03-31", last="1998-06-30")
    site.once(backfill)
    run_page(site, page, backfill, "ui-backfill.png", 520)


def progress(site: Site, page: Page, run: str) -> None:
    """The first stage under way that is in the middle of something."""
    site.artifact(run, "progress", over=4, of="model_training")
    run_page(site, page, run, "ui-progress.png", 880)


def run_page(site: Site, page: Page, run: str, name: str, height: int) -> None:
    """The graph of a run, and its artifacts below."""
    page.open(f"{site.url}/v2/runs/flow-run/{run}", shows="Task Runs", width=1240, height=height)
    page.click("Artifacts")
    page.picture(DOCS / name)


def artifact(site: Site, page: Page, run: str, key: str, name: str, height: int) -> None:
    """One artifact."""
    found = site.artifact(run, key)
    page.open(f"{site.url}/v2/artifacts/artifact/{found}", shows="Flow Run", width=1300, height=height)
    page.picture(DOCS / name)


def approval(site: Site, page: Page) -> None:
    """The question, and its form, to which one has to scroll."""
    page.open(f"{site.url}/v2/runs/flow-run/{site.parked()}", shows="Task Runs", width=1000, height=1250)
    page.click("Open menu")
    page.click("Resume")
    page.picture(DOCS / "approval.png", only="[role=dialog]")
    page.script("document.querySelectorAll('[role=dialog] *').forEach(e => {e.scrollTop = 1e6})")
    page.picture(DOCS / "ui-answer.png", only="[role=dialog]")


def form(site: Site, page: Page) -> None:
    """Run, custom run."""
    found = site.deployment("churn/on-demand")
    page.open(f"{site.url}/v2/deployments/deployment/{found}/run", shows="workers", width=1000, height=1250)
    page.picture(DOCS / "ui-form.png")


if __name__ == "__main__":
    main()
