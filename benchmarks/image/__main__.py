"""What the server's image weighs: `python -m benchmarks.image`, as root.

The image is made by its Dockerfile's own steps (`built`). Beside it, for comparison, how much the whole
project installs, by this environment.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import threading
import time
from importlib.metadata import distribution, requires
from pathlib import Path

from packaging.requirements import Requirement

from benchmarks.image.built import Image, built
from benchmarks.image.container import running
from benchmarks.image.release import published
from benchmarks.image.rootfs import why_not_here

_STARTS = 5
_ROWS = {"instances": [{"orders": 1.0, "basket": 2.0}]}
_MODEL = "/opt/ml/model"


def main() -> int:
    """Print the table."""
    why_not = why_not_here()
    if why_not is not None:
        sys.exit(f"the image's steps are not run here: {why_not}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        image = built(folder / "image")
        print(f"the steps of the Dockerfile        {time.perf_counter() - began:6.0f} s")
        installed = image.files.path("/opt/mlops")
        print(f"/opt/mlops                         {_size(installed):6.0f} MB")
        print(f"  of it bytecode                   {_size(installed, '*.pyc'):6.0f} MB")
        print(f"the project's own dependencies     {_whole():6.0f} MB, without bytecode")
        _times(image, folder)
    return 0


def _times(image: Image, folder: Path) -> None:
    made = published(folder / "release")
    ready, begun, asked = [], [], []
    for _ in range(_STARTS):
        began = time.perf_counter()
        with (
            running(
                image, {"MLOPS_RELEASE_MANIFEST": made.manifest}, bind=(made.folder, _MODEL)
            ) as container,
            container.wait() as client,
        ):
            ready.append(time.perf_counter() - began)
            begun.append(_resident(container.first()))
            threading.Thread(target=container.process.communicate, daemon=True).start()  # or its log fills up
            for _ in range(1000):
                client.post("/instances", json=_ROWS).raise_for_status()
            asked.append(_resident(container.first()))
    print(f"from its start until it is ready   {statistics.median(ready):6.1f} s, median of {_STARTS}")
    print(f"memory then                        {statistics.median(begun):6.0f} MB")
    print(f"  and after 1,000 requests         {statistics.median(asked):6.0f} MB")


def _resident(process: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) / 1000


def _size(folder: Path, pattern: str = "*") -> float:
    return sum(one.stat().st_size for one in folder.rglob(pattern) if one.is_file()) / 1e6


def _whole() -> float:
    """Of what `pip install mlops-core` brings, as it lies in this environment."""
    names, size = ["mlops-core"], 0.0
    for name in names:  # grows
        for wanted in map(Requirement, requires(name) or ()):
            if wanted.name.lower() not in names and (
                wanted.marker is None or wanted.marker.evaluate({"extra": ""})
            ):
                names.append(wanted.name.lower())
        files = [one for one in distribution(name).files or () if one.suffix != ".pyc"]
        places = [Path(str(one.locate())) for one in files]
        size += sum(one.stat().st_size for one in places if one.is_file())
    return size / 1e6


if __name__ == "__main__":
    sys.exit(main())
