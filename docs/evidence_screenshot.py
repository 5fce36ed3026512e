"""Makes docs/evidence.png and docs/evidence-phone.png: a real pack of the bundled use case, in Chromium.

`python docs/evidence_screenshot.py` delivers churn twice in a temporary folder, so that there is a champion
to compare with, and takes the page as a desktop and as a phone show it. Needs `chromium` on the PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

DOCS = Path(__file__).parent
DESKTOP = (1100, 1960)
PHONE, COLUMNS, TALL = 390, 2, 1400


def main() -> None:
    """Deliver, and take both pictures."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.exit("chromium is not on the PATH (Debian: apt-get install chromium)")
    with TemporaryDirectory() as folder:
        pack = delivered(Path(folder))
        taken(browser, pack, DOCS / "evidence.png", *DESKTOP)
        phones = Path(folder) / "phones.html"
        phones.write_text(beside_each_other(pack.name))
        taken(browser, phones, DOCS / "evidence-phone.png", (PHONE + 20) * COLUMNS - 20, TALL)


def delivered(folder: Path) -> Path:
    """The page of version 2 of churn."""
    environment = os.environ | {"MLOPS_HOME": str(folder / "home")}
    for words in (
        ["run", "churn", "--as-of", "1998-03-31", "--quiet"],
        ["run", "churn", "--quiet"],
        ["evidence", "churn@production", "--out", str(folder)],
    ):
        command = [sys.executable, "-m", "mlops_core.cli", *words]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ours
    return folder / "churn-2-evidence.html"


def beside_each_other(page: str) -> str:
    """A page as wide as a phone, cut into columns from top to bottom."""
    columns = "".join(
        f'<div style="height:{TALL}px;overflow:hidden"><iframe src="{page}" scrolling="no" '
        f'style="border:0;width:{PHONE}px;height:{TALL * COLUMNS}px;margin-top:-{TALL * number}px">'
        "</iframe></div>"
        for number in range(COLUMNS)
    )
    return f'<body style="margin:0;background:#8a94a3"><div style="display:flex;gap:20px">{columns}</div>'


def taken(browser: str, page: Path, picture: Path, width: int, height: int) -> None:
    """The top of a page as a PNG."""
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
    size = f"--window-size={width},{height}"
    command = [browser, *options, size, f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own words


if __name__ == "__main__":
    main()
