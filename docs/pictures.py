"""The drawings of the explanations as SVG: `python -m docs.pictures` writes them beside the pages.

In light and dark as the reader has it; no script, no font to load. A drawing is a list of shapes on a grid of
pixels, with a sentence for those who do not see it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PICTURES", "drawn"]

_STYLE = Markup("""
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #222; text-anchor: middle }
.left { text-anchor: start }
.small { font-size: 11px; fill: #555 }
.head { font-weight: 600 }
.page { fill: #fff }
.box { fill: #f3f4f6; stroke: #8b949e }
.line { stroke: #777; fill: none; stroke-width: 1.3 }
.cut { stroke: #b3261e; stroke-dasharray: 5 4; fill: none }
.seen { fill: #0b63c5 }
.unseen { fill: none; stroke: #8b949e }
.past { fill: #cfe2fb }
.future { fill: #fbdcc0 }
.gap { fill: #e2e2e2 }
.good { fill: #d3ecd6; stroke: #2e7d32 }
.bad { fill: #f8d7d4; stroke: #b3261e }
@media (prefers-color-scheme: dark) {
 text { fill: #e6edf3 }
 .small { fill: #a9b3bd }
 .page { fill: #0d1117 }
 .box { fill: #1c2330; stroke: #6e7681 }
 .line { stroke: #8b949e }
 .cut { stroke: #ff8a80 }
 .seen { fill: #6cb0ff }
 .past { fill: #17385f }
 .future { fill: #5b3513 }
 .gap { fill: #3a3f47 }
 .good { fill: #16391f; stroke: #56b366 }
 .bad { fill: #4d1d1b; stroke: #ff8a80 }
}
""")


class Picture(NamedTuple):
    """A drawing of `width` by `height` pixels, and what it shows in a sentence."""

    width: int
    height: int
    alt: str
    shapes: list[Markup]


def drawn(picture: Picture) -> str:
    """A file for an <img>."""
    frame = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="alt" width="{0}" height="{1}" '
        'viewBox="0 0 {0} {1}"><title id="alt">{2}</title><style>{3}</style>\n'
        '<rect class="page" width="{0}" height="{1}"/>\n{4}\n</svg>\n'
    )
    shapes = Markup("\n").join(picture.shapes)
    return frame.format(picture.width, picture.height, picture.alt, _STYLE, shapes)


def _text(x: float, y: float, words: str, kind: str = "") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(kind, x, y, words)


def _bar(kind: str, x: float, y: float, width: float, height: float = 22) -> Markup:
    shape = '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="3"/>'
    return Markup(shape).format(kind, x, y, width, height)  # noqa: S704 - a constant


def _dot(x: float, y: float, kind: str = "seen") -> Markup:
    return Markup('<circle class="{}" cx="{}" cy="{}" r="5"/>').format(kind, x, y)


def _path(way: str, kind: str = "line") -> Markup:
    return Markup('<path class="{}" d="{}"/>').format(kind, way)


def _arrow(x: float, y: float, to_x: float, to_y: float) -> Markup:
    """Straight, across or down."""
    head = "l-7 -4m7 4l-7 4" if to_y == y else "l-4 -7m4 7l4 -7"
    return _path(f"M{x} {y}L{to_x} {to_y}{head}")


def _box(x: float, y: float, width: float, lines: list[str], kind: str = "box") -> Iterator[Markup]:
    yield _bar(kind, x, y, width, 20 + 17 * len(lines))
    for number, line in enumerate(lines):
        yield _text(x + width / 2, y + 22 + 17 * number, line, "small" if number else "head")


def _two_times() -> Picture:
    """Event time across, created time upwards; a spine row sees the corner below and left of it."""
    shapes = [
        _bar("past", 230, 120, 200, 150),
        _bar("future", 431, 120, 150, 150),
        _arrow(60, 270, 650, 270),
        _path("M60 270V30l-4 7m4 -7l4 7"),
        _path("M430 20V290", "cut"),
        _path("M60 120H650", "cut"),
        _text(430, 306, "T", "head"),
        _text(46, 125, "T", "head"),
        _text(330, 289, "window", "small"),
        _text(505, 289, "label's horizon", "small"),
        _text(560, 306, "event timestamp: when it happened", "small"),
        _text(66, 22, "created timestamp: when it was recorded", "small left"),
    ]
    events = [
        (280, 230, "seen", "seen", "seen"),
        (350, 170, "seen", "late, but recorded by T: seen", "left small"),
        (340, 70, "unseen", "recorded after T: not seen", "small"),
        (130, 235, "unseen", "before the window", "small"),
        (506, 215, "unseen", "not before T: the label's", "small"),
        (506, 70, "unseen", "the label's", "small"),
    ]
    for x, y, kind, words, style in events:
        at = x - 112 if style.startswith("left") else x
        shapes += [
            _dot(x, y, kind),
            _text(at, y - 10, words, style if kind == "unseen" or at != x else "small"),
        ]
    alt = (
        "Events by the time they happened and the time they were recorded. A row at T sees those of its "
        "window that happened and were recorded by T; the label sees what happens in its horizon after T."
    )
    return Picture(680, 320, alt, shapes)


def _snapshots() -> Picture:
    """Which months train, choose and judge, so that no label is seen twice."""
    start, month = 130, 34
    rows = [
        ("training", 0, "past"),
        ("training", 1, "past"),
        ("training", 2, "past"),
        ("training", 3, "past"),
    ]
    rows += [
        ("embargoed", 4, "gap"),
        ("embargoed", 5, "gap"),
        ("validation", 6, "past"),
        ("evaluation", 9, "good"),
    ]
    shapes = [_text(start + 12 * month, 20, "as-of date: nothing after it is known", "small")]
    shapes.append(_path(f"M{start + 12 * month} 28V{62 + 30 * len(rows)}", "cut"))
    for number, (name, at, kind) in enumerate(rows):
        x, y = start + at * month, 38 + 30 * number
        shapes += [
            _text(10, y + 15, name, "left"),
            _path(f"M{start} {y + 11}H{x}"),
            _bar("gap" if kind == "gap" else "future", x, y, 3 * month),
            _dot(x, y + 11, "unseen" if kind == "gap" else "seen"),
        ]
    bottom = 50 + 30 * len(rows)
    shapes += [
        _arrow(start, bottom, start + 13.6 * month, bottom),
        _text(start + 13.2 * month, bottom + 18, "time", "small"),
        _text(start + 40, bottom + 18, "line: what features see", "small left"),
        _text(start + 220, bottom + 18, "block: what the label sees (90 days)", "small left"),
    ]
    alt = (
        "Snapshots a month apart. Training labels close before validation begins, those that reach into it "
        "are embargoed, and evaluation lies after all, its label closed by the as-of date."
    )
    return Picture(660, bottom + 30, alt, shapes)


def _gate() -> Picture:
    """Three intervals of a gain, and what superiority and non-inferiority say of them."""
    zero, shapes = 330, [_text(330, 24, "no gain", "small"), _text(240, 24, "margin", "small")]
    shapes += [_path(f"M{zero} 32V190"), _path("M240 32V190", "cut")]
    rows = [
        ("better, surely", 360, 470, "superior, no worse", "good"),
        ("perhaps better", 280, 420, "no worse, within the margin", "good"),
        ("who knows", 190, 450, "neither: too few rows", "bad"),
        ("worse", 120, 215, "neither", "bad"),
    ]
    for number, (name, low, high, verdict, kind) in enumerate(rows):
        y = 50 + 36 * number
        shapes += [
            _text(10, y + 5, name, "left"),
            _path(f"M{low} {y}H{high}M{low} {y - 5}v10M{high} {y - 5}v10"),
            _dot((low + high) / 2, y),
            *(_bar(kind, 500, y - 13, 190, 26), _text(595, y + 5, verdict, "small")),
        ]
    shapes.append(_text(330, 210, "gain of the challenger over the champion, on the same rows", "small"))
    alt = (
        "Intervals of a challenger's gain. One wholly above zero is superior; one wholly above the margin is "
        "no worse; one that reaches below the margin is neither, however good its middle."
    )
    return Picture(710, 225, alt, shapes)


def _ledger() -> Picture:
    """Entries, each with the digest of the one before, and what follows them."""
    entries = [
        ["registered", "version 2", "digest of model"],
        ["decided", "passed", "policy, champion"],
        ["requested", "question", "digest of all that"],
        ["approved", "by ann", "that question"],
        ["promoted", "archived: 1", "in one step"],
        ["deployed", "release", "digest of files"],
    ]
    shapes: list[Markup] = []
    for number, lines in enumerate(entries):
        x = 12 + 128 * number
        shapes += _box(x, 40, 108, lines, "good" if number == 3 else "box")
        if number:
            shapes.append(_path(f"M{x} 75h-20l7 -4m-7 4l7 4"))
    shapes += [
        _text(12, 24, "the ledger: each entry holds the digest of the one before", "left small"),
        *_box(300, 160, 130, ["registry", "aliases and tags"]),
        *_box(460, 160, 130, ["target", "what it serves"]),
        _path("M578 112C578 140 365 130 365 158l-5 -6m5 6l4 -7"),
        _path("M578 112C578 140 525 130 525 158l-5 -6m5 6l4 -7"),
        _text(670, 150, "both follow it", "small"),
    ]
    alt = (
        "Six entries of a ledger in a chain: registered, decided, requested, approved by a person, promoted, "
        "deployed. The registry and the target follow it."
    )
    return Picture(790, 225, alt, shapes)


def _repeat() -> Picture:
    """How a stage is done once."""
    shapes = [
        *_box(12, 30, 150, ["inputs", "data, definitions", "parameters, code", "libraries"]),
        *_box(220, 47, 120, ["key", "their digest"]),
        *_box(395, 12, 140, ["there, and whole?", "every byte compared"]),
        *_box(590, 12, 130, ["receipt", "the same again"], "good"),
        *_box(400, 120, 130, ["make it aside", "under a lock"]),
        *_box(590, 120, 130, ["sync, rename", "nobody sees a half"]),
        _arrow(162, 72, 219, 72),
        _path("M340 72H370V38H394l-7 -4m7 4l-7 4"),
        _arrow(535, 38, 589, 38),
        _text(560, 30, "yes", "small"),
        _arrow(465, 66, 465, 119),
        _text(482, 97, "no", "small"),
        _arrow(530, 146, 589, 146),
        _path("M655 120V67l-4 7m4 -7l4 7"),
    ]
    alt = (
        "A stage's inputs make a key. What lies under it and is whole is returned; else it is made aside, "
        "synced and renamed, and leaves the same receipt."
    )
    return Picture(735, 190, alt, shapes)


PICTURES = {
    "two-times.svg": _two_times,
    "snapshots.svg": _snapshots,
    "gain.svg": _gate,
    "ledger.svg": _ledger,
    "repeatable.svg": _repeat,
}


def main() -> int:
    """Write them all."""
    for name, draw in PICTURES.items():
        (Path(__file__).parent / name).write_text(drawn(draw()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
