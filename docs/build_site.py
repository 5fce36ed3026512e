"""The docs as a site: `python -m docs.build_site FOLDER`. A link or an anchor that leads nowhere fails.

The pages are written to be read where they lie, in the repository: README.md and CONTRIBUTING.md stand beside
docs/, and pages lead to files outside it. A site has one folder of pages. So they are copied, README.md
becomes the first of them, and what they lead to that is no page is copied below `files/`: the site is whole,
and needs no address of a repository. The reference is made from the docstrings (docs/reference.py). What is
in the menu stands in mkdocs.yml.

Built by Zensical: of what reads mkdocs.yml it is the one that is worked on in 2026. Its makers' Material for
MkDocs gets security fixes only, and stands on MkDocs 1, which gets none. It shows Mermaid, and checks links
and anchors itself.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

import yaml

from docs.notebook import NOTEBOOK
from docs.reference import written

__all__ = ["broken_menu", "laid_out"]

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BESIDE = {  # pages outside docs/, and one that is no Markdown
    ROOT / "README.md": "index.md",
    ROOT / "CONTRIBUTING.md": "contributing.md",
    NOTEBOOK: "notebook.md",
}
FILES = "files"  # in the site: copies of files that pages lead to
PICTURES = (".png", ".svg")
LINK = re.compile(r"(?<=\]\()(?P<path>[^)#:\s]+)(?P<anchor>#[^)\s]*)?(?=\))")
FENCED = re.compile(r"^(?P<fence>`{3,}).*?^(?P=fence)$", re.MULTILINE | re.DOTALL)


def laid_out(folder: Path) -> list[str]:
    """Write the pages into `folder`, as a site wants them; returns what they lead to that is not there."""
    broken: list[str] = []
    folder.mkdir(parents=True)
    for page in (*BESIDE, *sorted(DOCS.glob("*.md"))):
        (folder / _name(page)).write_text(_with_links(page, folder, broken), encoding="utf-8")
    for picture in (found for found in DOCS.iterdir() if found.suffix in PICTURES):
        shutil.copyfile(picture, folder / picture.name)
    written(folder)
    return broken


def broken_menu(folder: Path, menu: list[object]) -> list[str]:
    """What the menu and the pages in `folder` do not agree on: each page stands in it once."""
    listed = _pages(menu)
    there = {page.name for page in folder.glob("*.md")}
    twice = {page for page in listed if listed.count(page) > 1}
    return [f"mkdocs.yml, nav: {page} must stand there once" for page in sorted(there ^ set(listed) | twice)]


def _pages(menu: object) -> list[str]:
    match menu:
        case str():
            return [menu]
        case list():
            return [page for item in menu for page in _pages(item)]
        case dict():
            return [page for item in menu.values() for page in _pages(item)]
    return []


def _name(page: Path) -> str:
    return BESIDE.get(page, page.name)


def _text(page: Path, folder: Path) -> str:
    """A page as Markdown; the pictures of a notebook are put into `folder`."""
    if page.suffix != ".ipynb":
        return page.read_text(encoding="utf-8")
    from nbconvert import MarkdownExporter

    text, more = MarkdownExporter().from_filename(str(page))  # type: ignore[no-untyped-call]  # it has none
    for name, content in more["outputs"].items():
        (folder / name).write_bytes(content)
    text = re.sub(r"<style scoped>.*?</style>\n", "", text, flags=re.DOTALL)  # of tables
    return str(text).replace("![png](", "![What the cell draws](")


def _with_links(page: Path, folder: Path, broken: list[str]) -> str:
    """The text of a page, whose links lead to where things are in the site."""

    def link(found: re.Match[str]) -> str:
        if (folder / found["path"]).suffix == ".png" and (folder / found["path"]).is_file():
            return found[0]  # it was drawn by the page
        target = (page.parent / unquote(found["path"])).resolve()
        if not target.is_file():
            broken.append(f"{page.relative_to(ROOT)}: no file {found['path']}")
            return found[0]
        return _in_site(target, folder) + (found["anchor"] or "")

    text = _text(page, folder)
    parts, last = [], 0
    for code in FENCED.finditer(text):  # what is quoted there stays as it is
        parts += [LINK.sub(link, text[last : code.start()]), code[0]]
        last = code.end()
    return "".join([*parts, LINK.sub(link, text[last:])])


def _in_site(target: Path, folder: Path) -> str:
    """Where a file of the checkout is in the site; one that is no page is put there."""
    if target in BESIDE or (target.parent == DOCS and target.suffix in (".md", *PICTURES)):
        return _name(target)
    # As text, whatever it is: a browser shows that, and it is no page of the site. Dots in front go: Zensical
    # leaves such files out, without a word.
    parts = [part.removeprefix(".") for part in target.relative_to(ROOT).parts]
    copy = Path(FILES, *parts[:-1], f"{parts[-1]}.txt")
    (folder / copy).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(target, folder / copy)
    return copy.as_posix()


def main(arguments: list[str]) -> int:
    """Build into the folder that is the only argument; returns the exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m docs.build_site FOLDER\n")
        return 2
    site = Path(arguments[0]).resolve()
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        broken = laid_out(work / "docs")
        broken += broken_menu(work / "docs", settings["nav"])
        if broken:
            sys.stderr.write("\n".join(broken) + "\n")
            return 1
        (work / "mkdocs.yml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        built = subprocess.run(["zensical", "build", "--strict"], cwd=work, check=False)  # noqa: S607 - on PATH
        if built.returncode:
            return built.returncode
        shutil.copytree(work / "site", site, dirs_exist_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
