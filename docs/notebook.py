"""The lesson's notebook, run anew: `python -m docs.notebook` writes what cells show into docs/tutorial.ipynb.

The notebook is its own source: edit it in Jupyter, then run this. Its cells are run from first to last by
this very Python, in an empty folder, with a home folder and settings of their own. What would differ between
machines or runs is not kept: times, the kernel's name and version.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["NOTEBOOK", "executed"]

NOTEBOOK = Path(__file__).with_name("tutorial.ipynb")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SECONDS = 600  # for one cell, on a busy machine
DROPPED = ("MLOPS_", "PREFECT_", "JUPYTER_", "IPYTHON", "MPL")


def executed(source: Path) -> Any:
    """The notebook with the outputs of a run. Raises `nbclient`'s `CellExecutionError`, which shows the cell.

    Nothing is left behind: neither a process nor a file.
    """
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]  # it has none
    # A short path: that of a socket has 107 signs at most
    with tempfile.TemporaryDirectory(prefix="nb-") as temporary:
        folder = Path(temporary)
        (folder / "work").mkdir()
        manager = AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=KernelSpecManager(
                kernel_dirs=[]
            ),  # this Python, whatever a home folder names
            transport="ipc",
            ip=str(folder / "kernel"),
            connection_file=str(folder / "kernel.json"),
        )
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=SECONDS,
            coalesce_streams=True,
            record_timing=False,
            resources={"metadata": {"path": str(folder / "work")}},
        )
        client.execute(env=_environment(folder), cleanup_kc=True)  # and end the kernel, though it is ours
    return _kept(notebook)


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of a person's: neither settings nor a home folder to write to."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
    return kept | {"HOME": str(folder), "TMPDIR": str(folder), "DO_NOT_TRACK": "1"}


def _kept(notebook: Any) -> Any:
    """Without what is of one machine or one run."""
    notebook.metadata = METADATA
    for cell in notebook.cells:
        cell.metadata = {}
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = {}
    return notebook


def main(arguments: list[str]) -> int:
    """Run it and write it, to another file where one is named; returns the exit code."""
    if len(arguments) > 1 or any(one.startswith("-") for one in arguments):
        sys.stderr.write("usage: python -m docs.notebook [FILE]\n")
        return 2
    import nbformat

    into = Path(arguments[0]) if arguments else NOTEBOOK
    nbformat.write(executed(NOTEBOOK), into)  # type: ignore[no-untyped-call]  # it has none
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
