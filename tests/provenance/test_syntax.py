"""The canonical text is the source's, whichever version of Python cut it into a tree."""

from __future__ import annotations

import ast

import pytest

from mlops_core.provenance.syntax import Syntax


def _text(source: str | ast.AST) -> str:
    tree = ast.parse(source) if isinstance(source, str) else source
    return Syntax.of([tree], "pkg").text


def _parts(*values: ast.expr, spec: ast.expr | None = None) -> ast.Expr:
    value = ast.FormattedValue(value=ast.Name("x", ast.Load(), lineno=1), conversion=-1, format_spec=spec)
    return ast.Expr(ast.JoinedStr([*values, value]))


def test_the_pieces_of_an_f_string_are_joined() -> None:
    """Versions cut the literal text differently, and some leave empty pieces."""
    whole = _text(_parts(ast.Constant("ab")))
    assert _text(_parts(ast.Constant("a"), ast.Constant(""), ast.Constant("b"))) == whole
    assert _text(_parts(ast.Constant("ab"), spec=ast.JoinedStr([]))) == whole
    assert _text(_parts(ast.Constant("ab"), spec=ast.JoinedStr([ast.Constant("")]))) == whole
    assert _text(_parts(ast.Constant("ab"), spec=ast.JoinedStr([ast.Constant(">3")]))) != whole


def test_fields_of_later_versions_leave_no_trace_when_empty() -> None:
    """Such as a function's type parameters (3.12), or what a subclass of the tree might add."""
    (function,) = ast.parse("def f(x): return x").body
    before = _text(function)
    kind = type("FunctionDef", (ast.FunctionDef,), {"_fields": (*ast.FunctionDef._fields, "more", "none")})
    later = kind(
        **{name: getattr(function, name, []) for name in ast.FunctionDef._fields}, more=[], none=None
    )
    assert _text(later) == before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = True"),
        ("x = 1", "x = 1.0"),
        ("x = 'a'", "x = b'a'"),
        ("x = ''", "x = f''"),
        ("a.b.c", "a.c.b"),
        ("a().b", "a.b()"),
        ("f(a, b)", "f(b, a)"),
        ("f(*a)", "f(a)"),
        ("x[1:]", "x[:1]"),
        ("{**a, 1: b}", "{1: a, **b}"),
        ("f'{x}y'", "f'y{x}'"),
        ("f'{x!r}'", "f'{x!s}'"),
        ("if a:\n  b()", "if a:\n  pass\nelse:\n  b()"),
        ("while a: b()\nelse: c()", "while a: b(); c()"),
        ("def f(a, /, b): ...", "def f(a, b): ..."),
        ("def f():\n  yield 1", "def f():\n  return 1"),
        ("async def f(): ...", "def f(): ..."),
        ("a < b < c", "a < b and b < c"),
        ("x: int = 1", "x = 1"),
        ("match x:\n  case None: a()", "match x:\n  case True: a()"),
        ("def f():\n  from a import b", "def f():\n  from b import a"),
        ("def f():\n  from . import b", "def f():\n  from .. import b"),
        ("import a\nimport b as c", "import a as c\nimport b"),
    ],
)
def test_what_differs_in_meaning_differs_in_text(one: str, other: str) -> None:
    """Nothing that decides what runs is left out."""
    assert _text(one) != _text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f():\n  'Says.'\n  return 1", "def f(): return 1"),
        ("def f():\n  def g():\n    'Says.'\n  return g", "def f():\n  def g(): ...\n  return g"),
        ("class C:\n  'Says.'\n  x = 1\n  'One.'", "class C:\n  x = 1"),
        ("x = 'a' 'b'", 'x = "ab"'),
        ("x = u'a'", "x = 'a'"),
        ("x = 0x10", "x = 16"),
        ("x = (1,)", "x = 1,"),
        ("if a:\n  b()\nelse:\n  pass", "if a: b()"),
        ("if a: b()\nelif c: d()", "if a: b()\nelse:\n  if c: d()"),
        ("import a, b", "import b\nimport a"),
        ("from a import c, b", "from a import b\nfrom a import c"),
    ],
)
def test_what_differs_in_form_alone_has_one_text(one: str, other: str) -> None:
    """Two ways to write the same."""
    assert _text(one) == _text(other)
