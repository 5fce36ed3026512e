"""A change of a function changes the stages from which it can be reached, and no others."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.provenance import STAGES, Code, SourceTree

ADAPTERS = {"offline": ("pkg.adapters:Offline",), "trainer": ("pkg.adapters:Trainer",)}
ROOTS = tuple(STAGES)
ENGINES = ("Offline", "Trainer")
MODULES = 4
Graph = dict[int, set[int]]


@st.composite
def call_graphs(draw: st.DrawFn) -> tuple[Graph, dict[str, set[int]], int]:
    """Which function calls which, which each stage and engine calls, and the function to change."""
    count = draw(st.integers(1, 12))
    some = st.sets(st.integers(0, count - 1), max_size=3)
    calls = {one: draw(some) for one in range(count)}
    return calls, {name: draw(some) for name in (*ROOTS, *ENGINES)}, draw(st.integers(0, count - 1))


def _reached(calls: Graph, begun: set[int]) -> set[int]:
    """By asking each function again until no new one is found."""
    found = set(begun)
    while more := {called for one in found for called in calls[one]} - found:
        found |= more
    return found


def _function(one: int, calls: set[int], body: str) -> str:
    """It imports what it calls in one of three ways."""
    lines = [f"def f{one}(x):"]
    for called in sorted(calls):
        module = f"m{called % MODULES}"
        lines += [
            [f"    from pkg.{module} import f{called}", f"    x += f{called}(x)"],
            [f"    x += {module}.f{called}(x)"],
            [f"    x += pkg.{module}.f{called}(x)"],
        ][(one + called) % 3]
    return "\n".join([*lines, f"    {body}", "    return x", ""])


def _write(root: Path, calls: Graph, begun: dict[str, set[int]], bodies: dict[int, str]) -> None:
    heads = [f"m{number}" for number in range(MODULES)]
    imports = f"import pkg.{', pkg.'.join(heads)}\nfrom pkg import {', '.join(heads)}\n"
    (root / "stages").mkdir(parents=True, exist_ok=True)
    for folder in (root, root / "stages"):
        (folder / "__init__.py").write_text("")
    for number, head in enumerate(heads):
        functions = [
            _function(one, calls[one], bodies.get(one, "x += 1")) for one in calls if one % MODULES == number
        ]
        (root / f"{head}.py").write_text(imports + "\n".join(functions))

    def used(name: str) -> str:
        return ", ".join(f"m{one % MODULES}.f{one}" for one in sorted(begun[name]))

    for stage in ROOTS:
        (root / "stages" / f"{stage}.py").write_text(f"{imports}def {stage}():\n    return [{used(stage)}]\n")
    engines = [f"class {name}:\n    def run(self):\n        return [{used(name)}]\n" for name in ENGINES]
    (root / "adapters.py").write_text(imports + "".join(engines))


def _digests(root: Path) -> dict[str, str]:
    code = Code(ADAPTERS, tree=SourceTree(root, "pkg"))
    return {stage: code.of(stage) for stage in STAGES}


@settings(max_examples=40)
@given(call_graphs())
def test_a_change_reaches_as_far_as_calls_do(drawn: tuple[Graph, dict[str, set[int]], int]) -> None:
    """Compared with a search by hand; a comment and a docstring in the same place change nothing."""
    calls, begun, target = drawn
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "pkg")
        _write(root, calls, begun, {})
        before = _digests(root)
        _write(root, calls, begun, {target: "'Says.'\n    # a comment\n    x += 1"})
        assert _digests(root) == before
        _write(root, calls, begun, {target: "x += 2"})
        now = _digests(root)
    expected = {
        stage
        for stage, ports in STAGES.items()
        if target in _reached(calls, begun[stage].union(*(begun[port.capitalize()] for port in ports)))
    }
    assert {stage for stage in STAGES if now[stage] != before[stage]} == expected
