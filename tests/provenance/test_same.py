"""What does not change what a stage uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Used = Callable[..., dict[str, str]]

MAIN = """\
    from pkg.table import RATE, scaled
    from pkg.words import told

    def stage(x: int) -> str:
        import json
        import math
        return told(scaled(x, RATE)) + json.dumps(math.pi)

    def unused():
        return 1
    """
TABLE = """\
    RATE = 0.5

    class Scale:
        def of(self, x):
            return x * 2

    def scaled(x, rate):
        if x > 1:
            return Scale().of(x) * rate
        return f"{x:>3} of {rate!r}"
    """
WORDS = """\
    def told(x):
        return str(x)
    """


def _files(**changed: str) -> dict[str, str]:
    return {"main.py": MAIN, "table.py": TABLE, "words.py": WORDS} | {
        f"{name}.py": text for name, text in changed.items()
    }


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"table": TABLE.replace("0.5", "0.5  # half")}, id="a comment"),
        pytest.param({"table": f'    """What is scaled."""\n{TABLE}'}, id="a module's docstring"),
        pytest.param(
            {"table": TABLE.replace("def of(self, x):\n", 'def of(self, x):\n            """Twice."""\n')},
            id="a method's docstring",
        ),
        pytest.param(
            {"table": TABLE.replace("RATE = 0.5\n", 'RATE = 0.5\n    """A half."""\n')},
            id="a constant's docstring",
        ),
        pytest.param(
            {"main": MAIN.replace("unused():", 'unused():\n        "Nobody asks."')},
            id="a docstring elsewhere",
        ),
        pytest.param(
            {"table": TABLE.replace("scaled(x, rate):", "scaled(\n        x,\n        rate,\n    ):\n")},
            id="line breaks",
        ),
        pytest.param({"table": TABLE.replace("x * 2", "((x) * (2))")}, id="brackets"),
        pytest.param(
            {"table": TABLE.replace('f"{x:>3} of {rate!r}"', "f'{x:>3} ' f'of {rate!r}'")}, id="quotes"
        ),
        pytest.param({"main": MAIN.replace("return 1", "return 2")}, id="an unused function"),
        pytest.param({"words": f"{WORDS}\n    LIMIT = 3\n"}, id="an unused constant in a used module"),
        pytest.param({"words": f"    import os\n    from re import sub\n{WORDS}"}, id="unused imports"),
        pytest.param({"table": f"{TABLE}\n    __all__ = ['RATE']\n"}, id="what is exported"),
        pytest.param(
            {
                "main": MAIN.replace("    from pkg.table import RATE, scaled\n", "").replace(
                    "told\n", "told\n    from pkg.table import scaled\n    from pkg.table import RATE\n", 1
                )
            },
            id="the order of imports",
        ),
        pytest.param(
            {"main": MAIN.replace("import json\n        import math", "import math, json")},
            id="the order of imports in a function",
        ),
        pytest.param({"other": "raise SystemExit('never imported')\n"}, id="another module"),
    ],
)
def test_what_is_not_run_changes_nothing(used: Used, changed: dict[str, str]) -> None:
    """Comments, docstrings, form and what is not used are no change."""
    before, now = used(_files()), used(_files(**changed))
    assert _files(**changed) != _files()
    assert now == before


def test_what_is_used_is_named(used: Used) -> None:
    """The definitions reached, by module and name, sorted, with 16 hex digits each."""
    found = used(_files())
    names = "pkg.main:stage pkg.table:RATE pkg.table:Scale pkg.table:scaled pkg.words:told"
    assert list(found) == names.split()
    assert all(len(digest) == 16 and int(digest, 16) >= 0 for digest in found.values())


def test_a_function_may_be_imported_from_where_it_is_handed_on(used: Used) -> None:
    """Only where a definition stands counts, not over which module it is imported."""
    files = _files() | {"facade.py": "from pkg.words import told\n"}
    over = files | {"main.py": MAIN.replace("from pkg.words", "from pkg.facade")}
    assert used(over) == used(files)


def test_what_is_set_aside_is_not_entered(used: Used) -> None:
    """Neither it nor what is below it, and such modules are not even read."""
    files = {
        "main.py": "from pkg.disk.files import write\nimport pkg.disk.files\n"
        "def stage(): return write(pkg.disk.files.OPEN)\n",
        "disk/__init__.py": "from pkg.disk import *\n",
        "disk/files.py": "this is no Python\n",
    }
    assert list(used(files, aside=("pkg.disk",))) == ["pkg.main:stage"]


def test_circles_end(used: Used) -> None:
    """Of calls, and of imports."""
    files = {
        "main.py": "from pkg.a import f\ndef stage(): return f()\n",
        "a.py": "from pkg.b import g, h\ndef f(): return g(h)\n",
        "b.py": "from pkg.a import f\ndef g(x): return f()\ndef h(): return h()\n",
    }
    assert list(used(files)) == ["pkg.a:f", "pkg.b:g", "pkg.b:h", "pkg.main:stage"]


def test_only_files_that_are_reached_are_parsed(used: Used) -> None:
    """A module that nothing used names may be anything."""
    assert used(_files() | {"broken.py": "def ("}) == used(_files())
