"""What an export says: lines for a person as it goes on, or one JSON document at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import say, warn

if TYPE_CHECKING:
    from mlops_core.commands.export_files import Written

__all__ = ["JsonTold", "Told"]


class Told:
    """For a person."""

    def print(self, text: str) -> None:
        """The export itself, where it is a single text and goes into no file."""
        say(text)

    def file(self, written: Written) -> None:
        """What became of a file."""
        if written.state == "kept":
            warn(f"{written.path}: it is there already and was left as it is; it needs this, to be put in:")
            say(written.text.removesuffix("\n"))
        else:
            say(f"{written.path}: {written.state}")

    def wrote(self, written: Written) -> None:
        """A file that the last words name."""

    def close(self, text: str) -> None:
        """The last words."""
        say(text)


class JsonTold(Told):
    """For a program: kept until all of it is there. A file that was kept comes with what it needs."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.files: list[dict[str, Any]] = []

    def print(self, text: str) -> None:
        self.text = text

    def file(self, written: Written) -> None:
        needs = written.text if written.state == "kept" else None
        self.files.append({"path": str(written.path), "state": written.state, "needs": needs})

    def wrote(self, written: Written) -> None:
        self.file(written)

    def close(self, text: str) -> None:
        """What a program does next is its own affair."""
