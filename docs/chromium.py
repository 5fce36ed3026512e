"""A headless Chromium that a script drives, over its remote debugging port."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from websockets.sync.client import ClientConnection

__all__ = ["Page", "browsing"]

SECONDS = 60  # for a page to show what is waited for
SETTLED = 5.0  # seconds that drawings move into place for, on a busy machine


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._sent = socket, 0

    def open(self, url: str, *, shows: str, width: int = 1100, height: int = 800) -> None:
        """Go to a page in a window of that size, and wait until it shows a text."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._do("Emulation.setDeviceMetricsOverride", **size)
        self._do("Page.navigate", url=url)
        self.wait(f"document.body && document.body.innerText.includes({json.dumps(shows)})", shows)

    def click(self, words: str) -> None:
        """Click the last button, tab or link that says this, once there is one."""
        kinds = "button, a, [role=tab], [role=menuitem]"
        found = (
            f"[...document.querySelectorAll('{kinds}')].filter(e => e.innerText.trim() == '{words}').at(-1)"
        )
        self.wait(f"!!{found}", f"a button {words}")
        # As a mouse does: menus open on the pointer's press, not on a click.
        box = self.script(
            f"(() => {{ const e = {found}; e.scrollIntoView({{block: 'center'}}); "
            "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._do("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def wait(self, condition: str, what: str) -> None:
        """Until a script is true."""
        deadline = time.monotonic() + SECONDS
        while not self.script(condition):
            if time.monotonic() > deadline:
                sys.exit(
                    f"the page never showed {what!r}; it says:\n{self.script('document.body.innerText')}"
                )
            time.sleep(0.1)

    def script(self, expression: str) -> Any:
        """The value of a script in the page; None while there is none."""
        return self._do("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def picture(self, path: Path, *, only: str | None = None) -> None:
        """What the window shows as a PNG; with `only`, the one element that this selector finds."""
        time.sleep(SETTLED)
        more: dict[str, Any] = {}
        if only is not None:
            box = self.script(
                f"(() => {{ const b = document.querySelector('{only}').getBoundingClientRect();"
                "return [b.x, b.y, b.width, b.height] })()"
            )
            more["clip"] = dict(zip(("x", "y", "width", "height"), box, strict=True)) | {"scale": 1}
        path.write_bytes(base64.b64decode(self._do("Page.captureScreenshot", format="png", **more)["data"]))

    def _do(self, method: str, **parameters: Any) -> Any:
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv(timeout=SECONDS))).get("id") != self._sent:
            pass  # events of the page
        return answer["result"]


@contextmanager
def browsing(folder: Path) -> Iterator[Page]:
    """A tab of a Chromium with a profile in this folder. Exits when there is no `chromium` on the PATH."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.exit("chromium is not on the PATH (Debian: apt-get install chromium)")
    options = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    )
    command = [browser, *options, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own words
        try:
            with connect(_tab(folder / "DevToolsActivePort"), max_size=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()


def _tab(file: Path) -> str:
    """The address of the first tab, once the browser has written down its port."""
    deadline = time.monotonic() + SECONDS
    while not file.is_file() or not file.read_text():
        if time.monotonic() > deadline:
            sys.exit("chromium did not start")
        time.sleep(0.1)
    port = file.read_text().split()[0]
    with urlopen(f"http://127.0.0.1:{port}/json") as answer:
        return str(next(one for one in json.load(answer) if one["type"] == "page")["webSocketDebuggerUrl"])
