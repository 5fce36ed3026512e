"""Makes docs/report.png: the report of a real run of the bundled use case, in Chromium.

`python -m docs.report_screenshot` delivers churn in a temporary folder and takes the top of its report, as
wide as a README is read. Needs `chromium` on the PATH.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from docs.chromium import browsing

PICTURE = Path(__file__).with_name("report.png")
WIDTH, HEIGHT = 900, 1000  # pixels


def main() -> None:
    """Deliver, and take the picture."""
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        command = [sys.executable, "-m", "mlops_core.cli", "run", "churn", "--quiet"]
        environment = os.environ | {"MLOPS_HOME": str(home)}
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ours
        (report,) = home.glob("stages/model_evaluation/*/report.html")
        with browsing(Path(folder) / "browser") as page:
            page.open(report.as_uri(), shows="churn", width=WIDTH, height=HEIGHT)
            page.picture(PICTURE)


if __name__ == "__main__":
    main()
