"""Digests see content and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.domain.digest import digest_of, digest_table, digest_tree
from mlops_core.domain.features import Count

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS: dict[str, Any] = {
    "integer": pa.array([1, None, 3], pa.int64()),
    "float": pa.array([0.1, None, -0.0], pa.float64()),
    "text": pa.array(["a", None, "bc"]),
    "money": pa.array([Decimal("1.50"), None, Decimal("2.00")], pa.decimal128(8, 2)),
    "when": pa.array([datetime(2020, 1, 1, tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
    "flag": pa.array([True, None, False]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_chunks_do_not_change_a_table_digest(name: str) -> None:
    """The same values in one chunk or three have one digest."""
    whole = pa.table({name: COLUMNS[name]})
    pieces = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 1), whole.slice(2)])
    assert digest_table(pieces) == digest_table(whole)


@pytest.mark.parametrize("name", COLUMNS)
def test_every_value_and_its_place_count(name: str) -> None:
    """Another order of rows, or a null where a value was, is another digest."""
    whole = pa.table({name: COLUMNS[name]})
    digests = {
        digest_table(whole),
        digest_table(whole.take([2, 1, 0])),
        digest_table(whole.take([1, 1, 2])),
        digest_table(whole.rename_columns(["other"])),
    }
    assert len(digests) == 4


def test_bytes_beneath_a_null_do_not_show() -> None:
    """Two nulls over different bytes are the same null."""
    mask = pa.array([True, False])
    one = pa.array([7, 1], pa.int64(), mask=mask.to_numpy(zero_copy_only=False))
    two = pa.array([9, 1], pa.int64(), mask=mask.to_numpy(zero_copy_only=False))
    assert digest_table(pa.table({"x": one})) == digest_table(pa.table({"x": two}))


def test_texts_do_not_run_together() -> None:
    """("ab", "c") and ("a", "bc") differ."""
    assert digest_table(pa.table({"x": ["ab", "c"]})) != digest_table(pa.table({"x": ["a", "bc"]}))


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_the_order_of_keys_does_not_change_a_digest(value: dict[str, object]) -> None:
    """JSON objects are unordered."""
    assert digest_of(dict(reversed(value.items()))) == digest_of(value)


def test_a_value_without_a_json_form_is_refused() -> None:
    """A digest of a memory address would be worth nothing."""
    with pytest.raises(TypeError, match="object has no JSON form"):
        digest_of(object())


def test_nan_has_no_digest() -> None:
    """NaN is not JSON, and is not equal to itself."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest_of({"x": float("nan")})


def test_definitions_are_digested_by_content() -> None:
    """Two equal features have one digest, another window has another."""
    assert digest_of(Count("orders")) == digest_of(Count("orders"))
    assert digest_of(Count("orders")) != digest_of(Count("visits"))


def test_a_folder_digest_sees_names_and_bytes(tmp_path: Path) -> None:
    """Renaming a file or changing a byte changes it."""
    (tmp_path / "a").write_bytes(b"1")
    first = digest_tree(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    second = digest_tree(tmp_path)
    (tmp_path / "b").write_bytes(b"2")
    assert len({first, second, digest_tree(tmp_path)}) == 3
