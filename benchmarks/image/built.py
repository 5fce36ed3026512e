"""The image, made by the steps of its Dockerfile; see `rootfs` for what stands in place of an engine."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.image.dockerfile import Step, expanded, pairs, steps_of
from benchmarks.image.rootfs import RootFs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ROOT", "Image", "built", "context"]

ROOT = Path(__file__).parents[2]
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Image:
    """A file system, and how its container is started."""

    files: RootFs
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    arguments: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    work: str = "/"
    user: str = "0:0"
    port: int | None = None
    signal: str = "SIGTERM"
    health: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    def start(
        self,
        words: tuple[str, ...] | None = None,
        *,
        environment: Mapping[str, str],
        bind: tuple[Path, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a container: the entry point with these words, or with the image's own."""
        command = [*self.entrypoint, *(self.command if words is None else words)]
        return self._started(command, environment, bind)

    def do(self, *words: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start something else in a container of the image, as its health check is."""
        return self._started(list(words), environment, None)

    def _started(
        self, words: list[str], environment: Mapping[str, str], bind: tuple[Path, str] | None
    ) -> subprocess.Popen[str]:
        given = {**self.environment, **environment}
        return self.files.start(words, environment=given, user=self.user, work=self.work, bind=bind)


def built(folder: Path, arguments: Mapping[str, str] | None = None) -> Image:
    """The last stage of the checkout's Dockerfile, in `folder`, from what `.dockerignore` leaves of it."""
    given = arguments or {}
    sources = context(folder / "context")
    pip = _pip()
    stages: dict[str, Image] = {}
    before: dict[str, str] = {}  # ARG before any FROM: for FROM alone
    image: Image | None = None
    for step in steps_of((ROOT / "Dockerfile").read_text()):
        if step.name == "FROM":
            expanded(step.text, before)
            name = step.text.partition(" AS ")[2] or f"stage-{len(stages)}"
            stages[name] = image = Image(RootFs(folder / name, pip))
        elif image is None:
            name, _, value = step.text.partition("=")
            before[name] = given.get(name, value)
        else:
            _follow(step, image, sources, stages, given)
    assert image is not None, "the Dockerfile has no FROM"
    return image


def context(folder: Path) -> Path:
    """What a build is sent: `.dockerignore` as a list of exceptions from everything."""
    everything, *rest = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")
    ]
    kept = [line.removeprefix("!") for line in rest if line.startswith("!")]
    never = [line.removeprefix("**/") for line in rest if not line.startswith("!")]
    assert everything == "*", ".dockerignore: expected `*` and exceptions from it"
    assert not any("*" in name or "/" in name for name in (*kept, *never)), ".dockerignore: plain names only"
    folder.mkdir(parents=True)
    for name in kept:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns(*never))
        else:
            shutil.copy2(source, folder / name)
    return folder


def _follow(
    step: Step, image: Image, sources: Path, stages: Mapping[str, Image], given: Mapping[str, str]
) -> None:
    variables = {**image.arguments, **image.environment}
    match step.name:
        case "ARG":
            name, _, value = step.text.partition("=")
            image.arguments[name] = given.get(name, value)
        case "ENV":
            image.environment |= pairs(expanded(step.text, variables))
        case "LABEL":
            image.labels |= pairs(expanded(step.text, variables))
        case "RUN":
            image.files.run(["sh", "-c", step.text], environment=variables, work=image.work)
        case "COPY":
            _copy(step, image, sources, stages)
        case "WORKDIR":
            image.work = step.text
            image.files.path(step.text).mkdir(parents=True, exist_ok=True)
        case _:
            _describe(step, image)


def _describe(step: Step, image: Image) -> None:
    match step.name:
        case "USER":
            image.user = step.text
        case "EXPOSE":
            image.port = int(step.text)
        case "STOPSIGNAL":
            image.signal = step.text
        case "HEALTHCHECK":
            image.health = step.words
        case "ENTRYPOINT":
            image.entrypoint = step.words
        case "CMD":
            image.command = step.words


def _copy(step: Step, image: Image, sources: Path, stages: Mapping[str, Image]) -> None:
    *names, target = step.text.split()
    stage = step.flags.get("from")
    for name in names:
        source = stages[stage].files.path(name) if stage else sources / name
        into = image.files.path(target if target.startswith("/") else f"{image.work}/{target}")
        if source.is_dir():
            copied = os.link if stage else shutil.copy2  # a stage is read, and never written again
            shutil.copytree(source, into, symlinks=True, copy_function=copied)
        else:
            shutil.copy2(source, into / name if target.endswith("/") else into)


def _pip() -> dict[str, str]:
    """By which variables pip in the image finds what this machine's pip would."""
    words = [str(Path(sys.base_prefix) / "bin" / "python3"), "-m", "pip", "config", "list"]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own words
    variables = {"PIP_CONFIG_FILE": "/dev/null"}
    for line in told.splitlines():
        name, _, value = line.partition("=")
        if not name.startswith(":env:.config"):
            option = name.rpartition(".")[2].replace("-", "_").upper()
            variables[f"PIP_{option}"] = str(ast.literal_eval(value))
    return {name: value for name, value in variables.items() if name != "PIP_CONSTRAINT"}
