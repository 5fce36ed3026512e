"""Text that has to fit into drawings. Nothing here knows the reader's fonts: widths are guessed, too wide."""

from __future__ import annotations

import unicodedata

__all__ = ["clean", "cut", "lines_of", "measure"]

# In em, by DejaVu Sans: the widest of the fonts that a page of ours is commonly shown in.
_WIDTHS = dict.fromkeys("ijlI .,:;'|!()·-", 0.33) | dict.fromkeys("frt/[]", 0.41)
_WIDTHS |= dict.fromkeys("mwMWOQ@%#&—…→", 0.99)
_BOLD = 1.13


def clean(text: str) -> str:
    """One line without characters that cannot be seen, some of which XML does not allow either."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))


def measure(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is in a proportional font of `size`, in its units."""
    return size * sum(map(_em, text)) * (_BOLD if bold else 1)


def cut(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, or as much of its beginning as fits into `room` with an ellipsis."""
    if measure(text, size, bold=bold) <= room:
        return text
    kept, left = [], room - measure("…", size, bold=bold)
    for sign in text:
        left -= measure(sign, size, bold=bold)
        if left < 0:
            break
        kept.append(sign)
    return "".join(kept).rstrip() + "…"


def lines_of(text: str, size: float, room: float, most: int) -> list[str]:
    """The text in lines that fit, broken at spaces; where more came, the last of `most` has an ellipsis."""
    lines: list[str] = []
    rest = text.split(" ") if text else []
    while rest:
        if len(lines) + 1 == most:
            return [*lines, cut(" ".join(rest), size, room)]
        line = rest.pop(0)
        while rest and measure(f"{line} {rest[0]}", size) <= room:
            line = f"{line} {rest.pop(0)}"
        lines.append(cut(line, size, room))
    return lines


def _em(sign: str) -> float:
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.05
    if unicodedata.combining(sign):
        return 0.0
    return _WIDTHS.get(sign, 0.7 if sign.isupper() else 0.61)
