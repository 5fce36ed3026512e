"""What does change what a stage uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable

    Used = Callable[..., dict[str, str]]

CHANGES = {
    "a helper three calls away": (
        {
            "main.py": "from pkg.a import f\ndef stage(): return f()\n",
            "a.py": "from pkg import b\ndef f(): return b.g()\n",
            "b.py": "import pkg.c as c\ndef g(): return c.h()\n",
            "c.py": "def h(): return 1\n",
        },
        ("c.py", "1", "2", "pkg.c:h"),
    ),
    "a constant": (
        {"main.py": "LIMIT = 3\ndef stage(): return LIMIT\n"},
        ("main.py", "3", "4", "pkg.main:LIMIT"),
    ),
    "one of two constants of an assignment": (
        {"main.py": "LOW, HIGH = 3, 5\ndef stage(): return HIGH\n"},
        ("main.py", "5", "6", "pkg.main:HIGH"),
    ),
    "an addition to a constant": (
        {"main.py": "NAMES = ['a']\nNAMES += ['b']\ndef stage(): return NAMES\n"},
        ("main.py", "'b'", "'c'", "pkg.main:NAMES"),
    ),
    "an item put into a table": (
        {"main.py": "TABLE = {}\nTABLE['a'] = 1\ndef stage(): return TABLE\n"},
        ("main.py", "= 1", "= 2", "pkg.main:<module>"),
    ),
    "an item put into a table beside a constant": (
        {"main.py": "TABLE = {}\nLIMIT, TABLE['a'] = 3, 1\ndef stage(): return TABLE\n"},
        ("main.py", "3, 1", "3, 2", "pkg.main:<module>"),
    ),
    "a default": (
        {"main.py": "def stage(x=1): return x\n"},
        ("main.py", "=1", "=2", "pkg.main:stage"),
    ),
    "which argument has the default": (
        {"main.py": "def stage(*, a=1, b): return a\n"},
        ("main.py", "a=1, b", "a, b=1", "pkg.main:stage"),
    ),
    "a default's helper": (
        {"main.py": "def first(): return 1\ndef stage(x=first()): return x\n"},
        ("main.py", "return 1", "return 2", "pkg.main:first"),
    ),
    "a decorator": (
        {"main.py": "from functools import cache\n@cache\ndef stage(): return 1\n"},
        ("main.py", "@cache\n", "\n", "pkg.main:stage"),
    ),
    "what a decorator does": (
        {
            "main.py": "from pkg.a import twice\n@twice\ndef stage(): return 1\n",
            "a.py": "def twice(f): return lambda: f() * 2\n",
        },
        ("a.py", "2", "3", "pkg.a:twice"),
    ),
    "a base class": (
        {
            "main.py": "from pkg.a import Base\nclass Own(Base): ...\ndef stage(): return Own().value()\n",
            "a.py": "class Base:\n    def value(self): return 1\n",
        },
        ("a.py", "1", "2", "pkg.a:Base"),
    ),
    "a method of a parameter's class": (
        {
            "main.py": "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from pkg.a import Case\ndef stage(case: Case | None): return case.key\n",
            "a.py": "class Case:\n    @property\n    def key(self): return 1\n",
        },
        ("a.py", "1", "2", "pkg.a:Case"),
    ),
    "a class that an alias for type checkers names": (
        {
            "main.py": "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
            "from pkg import a\nif TYPE_CHECKING:\n    Cases = list[a.Case]\n"
            "def stage(cases: Cases): return cases[0].key()\n",
            "a.py": "class Case:\n    def key(self): return 1\n",
        },
        ("a.py", "1", "2", "pkg.a:Case"),
    ),
    "a class that a string annotates": (
        {
            "main.py": "from pkg.a import Case\ndef stage(case: 'list[Case]'): return case[0].key()\n",
            "a.py": "class Case:\n    def key(self): return 1\n",
        },
        ("a.py", "1", "2", "pkg.a:Case"),
    ),
    "a class that a string casts to": (
        {
            "main.py": "from typing import cast\nimport pkg.a\n"
            "def stage(x): return cast('pkg.a.Case', x).key()\n",
            "a.py": "class Case:\n    def key(self): return 1\n",
        },
        ("a.py", "1", "2", "pkg.a:Case"),
    ),
    "the class that a helper returns": (
        {
            "main.py": "from pkg.a import made\ndef stage(): return made().key()\n",
            "a.py": "def made() -> Case: ...\nclass Case:\n    def key(self): return 1\n",
        },
        ("a.py", "1", "2", "pkg.a:Case"),
    ),
    "a function that is handed on": (
        {
            "main.py": "from pkg.sub import f\ndef stage(): return f()\n",
            "sub/__init__.py": "from .deep.a import g as f\n",
            "sub/deep/a.py": "from ... import b\ndef g(): return b.h()\n",
            "b.py": "def h(): return 1\n",
        },
        ("b.py", "1", "2", "pkg.b:h"),
    ),
    "what the module that hands it on does": (
        {
            "main.py": "from pkg.facade import f\ndef stage(): return f()\n",
            "facade.py": "from pkg.a import f\nprint(1)\n",
            "a.py": "def f(): return 1\n",
        },
        ("facade.py", "1", "2", "pkg.facade:<module>"),
    ),
    "which function is handed on": (
        {
            "main.py": "from pkg.sub import f, g\ndef stage(): return f() - g()\n",
            "sub/__init__.py": "from pkg.sub.a import one as f, two as g\n",
            "sub/a.py": "def one(): return 1\ndef two(): return 2\n",
        },
        ("sub/__init__.py", "one as f, two as g", "one as g, two as f", "pkg.main:stage"),
    ),
    "an import in a function": (
        {
            "main.py": "def stage():\n    from .a import f\n    return f()\n",
            "a.py": "def f(): return 1\n",
        },
        ("a.py", "1", "2", "pkg.a:f"),
    ),
    "an import in a function that nothing names": (
        {
            "main.py": "def stage():\n    import pkg.a\n",
            "a.py": "print(1)\n",
        },
        ("a.py", "1", "2", "pkg.a:<module>"),
    ),
    "what a name stands for in another package": (
        {"main.py": "from math import floor as whole\ndef stage(): return whole(1.5)\n"},
        ("main.py", "floor", "ceil", "pkg.main:stage"),
    ),
    "what a module does when it is imported": (
        {
            "main.py": "from pkg.a import f\ndef stage(): return f()\n",
            "a.py": "import locale\nlocale.setlocale(0, 'C')\ndef f(): return 1\n",
        },
        ("a.py", "'C'", "'D'", "pkg.a:<module>"),
    ),
    "what a package does when it is imported": (
        {
            "main.py": "from pkg.sub.a import f\ndef stage(): return f()\n",
            "sub/__init__.py": "print(1)\n",
            "sub/a.py": "def f(): return 1\n",
        },
        ("sub/__init__.py", "1", "2", "pkg.sub:<module>"),
    ),
    "what a module imported whole does": (
        {"main.py": "import pkg.a\ndef stage(): return 1\n", "a.py": "print(1)\n"},
        ("a.py", "1", "2", "pkg.a:<module>"),
    ),
    "a name given in a condition": (
        {
            "main.py": "try:\n    from pkg.a import f\nexcept ImportError:\n    f = None\n"
            "def stage(): return f()\n",
            "a.py": "def f(): return 1\n",
        },
        ("a.py", "1", "2", "pkg.a:f"),
    ),
    "what a decorator of the package enters into a table": (
        {
            "main.py": "from pkg.table import TABLE, entered\n@entered\ndef one(): return 1\n"
            "def stage(): return [f() for f in TABLE]\n",
            "table.py": "TABLE = []\ndef entered(f):\n    TABLE.append(f)\n    return f\n",
        },
        ("main.py", "return 1", "return 2", "pkg.main:one"),
    ),
    "a function of a module that is handed about": (
        {
            "main.py": "from pkg import a\ndef stage(name): return getattr(a, name)()\n",
            "a.py": "def f(): return 1\n",
        },
        ("a.py", "1", "2", "pkg.a:f"),
    ),
    "a global that a local variable hides": (
        {"main.py": "LIMIT = 1\ndef stage(LIMIT): return LIMIT\n"},
        ("main.py", "LIMIT = 1", "LIMIT = 2", "pkg.main:LIMIT"),
    ),
    "what a module makes up": (
        {
            "main.py": "from pkg import a\ndef stage(): return a.anything\n",
            "a.py": "def __getattr__(name): return 1\n",
        },
        ("a.py", "1", "2", "pkg.a:__getattr__"),
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_what_is_used_changes_it(used: Used, kind: str) -> None:
    """The definition that changed is named, and no other."""
    files, (name, old, new, expected) = CHANGES[kind]
    before, now = used(files), used(files | {name: files[name].replace(old, new)})
    assert before[expected] != now[expected]
    assert {one for one in before.keys() | now.keys() if before.get(one) != now.get(one)} == {expected}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"main.py": "from pkg.a import gone\n\n\ndef stage(): return gone\n", "a.py": ""},
            "main.py:1: pkg.a has no",
        ),
        (
            {"main.py": "from pkg import a\ndef stage():\n    return a.gone()\n", "a.py": ""},
            "main.py:3: pkg.a has no",
        ),
        ({"main.py": "import pkg.gone\ndef stage(): ...\n"}, "main.py:1: pkg has no 'gone'"),
        ({"main.py": "\nfrom math import *\ndef stage(): ...\n"}, "main.py:2: `from math import \\*`"),
        ({"main.py": "def stage():\n    return (\n"}, "main.py:2: this Python cannot read it"),
        (
            {
                "main.py": "from pkg.a import f\ndef stage(): return f\n",
                "a.py": "from pkg.b import f\n",
                "b.py": "\nfrom pkg.a import f\n",
            },
            "has no 'f'",
        ),
    ],
)
def test_what_cannot_be_told_is_an_error(used: Used, files: dict[str, str], said: str) -> None:
    """A name that the package has not, or one that could be anything: file, line and name are said."""
    with pytest.raises(DefinitionError, match=said):
        used(files)


@pytest.mark.parametrize("root", ["pkg.main:gone", "pkg.gone:stage", "pkg.gone", "math:floor", "pkg.disk:f"])
def test_a_root_that_is_not_there_is_an_error(used: Used, root: str) -> None:
    """Also one of another package, and one in a module that is set aside."""
    files = {"main.py": "def stage(): ...\n", "disk.py": "def f(): ...\n"}
    with pytest.raises(DefinitionError, match=root):
        used(files, root, aside=("pkg.disk",))


def test_a_module_that_is_run_is_used_as_a_whole(used: Used) -> None:
    """All its definitions, and what it runs; what it exports is no definition."""
    text = "__all__ = ['f']\ndef f(): ...\nclass C: ...\nif __name__ == '__main__':\n    f()\n"
    assert list(used({"main.py": text}, "pkg.main")) == ["pkg.main:<module>", "pkg.main:C", "pkg.main:f"]


def test_a_variable_named_like_a_module_is_no_error(used: Used) -> None:
    """What it has is its own; the module counts as used, all of it."""
    files = {
        "main.py": "from pkg import rows\ndef stage(rows): return rows.append(1)\n",
        "rows.py": "def f(): ...\n",
    }
    assert list(used(files)) == ["pkg.main:stage", "pkg.rows:f"]
