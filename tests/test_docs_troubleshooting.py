"""docs/troubleshooting.md: its messages are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/troubleshooting.md").read_text()
OF_OTHERS = {"requires a different Python", "No module named 'my_module'", "Connection refused"}


def test_messages_are_those_of_the_code() -> None:
    """Each quoted one stands in a source, but for what pip, Python and the system say."""
    files = [*(ROOT / "mlops_core").rglob("*.py"), *(ROOT / "flows").glob("*.py")]
    source = re.sub(r'"\s*f?"', "", "".join(file.read_text() for file in files))
    rows = re.findall(r"^\| (`.*?) \|", PAGE, flags=re.MULTILINE)
    said = {message for row in rows for message in re.findall(r"`([^`]+)`", row)} - OF_OTHERS
    parts = {re.sub(r"^No module named 'flows': |nothing of churn ", "", one) for one in said}
    assert len(rows) > 10
    assert [part for part in sorted(parts) if part not in source] == []
