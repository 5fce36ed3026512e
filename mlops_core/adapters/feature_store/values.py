"""Columns of keys, numbers and things to tell apart, converted to their canonical types.

Keys become int64 or string. Numbers become int64, float64 or decimal128, so that sums of integers and
decimals are exact. Text is taken for a number or an integer key only where it comes from CSV, which has
nothing but text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.adapters.feature_store.instants import TIMESTAMP, Column, Converted, instants, is_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["boolean", "distinct", "key", "latest", "numeric", "plain", "whole", "words"]

_TOO_LARGE = "does not fit in a signed 64-bit integer"
_INTEGER = r"^-?(?:0|[1-9]\d*)\z"
_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\z"
_WHOLE = r"^[+-]?\d{1,18}\z"  # 18 digits always fit in 64 bits


def plain(column: Column) -> Column:
    """The column without dictionary, run lengths or an extension's name: the values themselves."""
    while True:
        kind = column.type
        if isinstance(kind, pa.DictionaryType):
            column = column.cast(kind.value_type)
        elif isinstance(kind, pa.RunEndEncodedType):
            column = pc.run_end_decode(column)
        elif isinstance(kind, pa.BaseExtensionType):
            column = column.cast(kind.storage_type)
        else:
            return column


def key(column: Column, *, text: bool = False) -> Converted | None:
    """Keys as int64 or string; None for any other type. With `text` (CSV), integers are recognised.

    Text such as 007 is not the integer 7: a column with one such key is a column of strings. Text that is
    numbers throughout, of which some are not integers, is a column of floats, which is no key.
    """
    kind = column.type
    if pa.types.is_integer(kind):
        return _integers(column)
    if pa.types.is_null(kind):
        return Converted(column.cast(pa.string()))
    if not is_text(kind):
        return None
    column = column.cast(pa.string())
    if not text or not _all(pc.match_substring_regex(column, _NUMBER)):
        return Converted(column)
    if _all(pc.match_substring_regex(column, _INTEGER)):
        return _parsed_integers(column)
    return Converted(column) if _all(pc.match_substring_regex(column, r"^[+-]?\d+\z")) else None


def numeric(column: Column, *, text: bool = False) -> Converted | None:
    """Numbers as int64, float64 or decimal128; None for any other type. Nulls stay, NaN is refused.

    Negative zero becomes zero, so that equal rows are equal bit for bit.
    """
    kind = column.type
    if pa.types.is_integer(kind):
        return _integers(column)
    if pa.types.is_floating(kind):
        return _floats(column.cast(pa.float64()))
    if pa.types.is_decimal(kind):
        return _decimals(column)
    if pa.types.is_null(kind):
        return Converted(column.cast(pa.float64()))
    return _parsed(column.cast(pa.string())) if text and is_text(kind) else None


def whole(texts: Column) -> Converted:
    """Text from CSV as int64; what is no integer breaks a rule."""
    texts = pc.utf8_trim_whitespace(texts.cast(pa.string()))
    fine = pc.match_substring_regex(texts, r"^[+-]?\d+\z")
    found = _parsed_integers(pc.utf8_ltrim(pc.if_else(fine, texts, "0"), "+"))
    return Converted(found.values, (("is not an integer", _mask(pc.invert(fine))), *found.broken))


def words(column: Column, *, text: bool = False) -> Converted | None:  # noqa: ARG001 - as all readings
    """Text as it is; None for any other type. CSV makes no difference."""
    kind = column.type
    return Converted(column.cast(pa.string())) if is_text(kind) or pa.types.is_null(kind) else None


def boolean(column: Column, *, text: bool = False) -> Converted | None:
    """Booleans; None for any other type. With `text` (CSV): true, false (in any case), 1 and 0."""
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return Converted(column.cast(pa.bool_()))
    if not (text and is_text(kind)):
        return None
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string())))
    fine = pc.is_in(texts, pa.array(["true", "false", "1", "0"]))
    values = pc.if_else(pc.is_null(texts), None, pc.is_in(texts, pa.array(["true", "1"])))
    wrong = pc.and_(pc.invert(fine), pc.is_valid(texts))
    return Converted(values, (("is not true or false", _mask(wrong)),))


def latest(column: Column, *, text: bool = False) -> Converted | None:
    """Numbers or booleans; None for any other type.

    With `text` (CSV), columns with more of true and false than of numbers are booleans.
    """
    kind = column.type
    if pa.types.is_boolean(kind):
        return Converted(column)
    if text and is_text(kind):
        texts = pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string())))
        truths = pc.sum(pc.is_in(texts, pa.array(["true", "false"]))).as_py() or 0
        numbers = pc.sum(pc.match_substring_regex(texts, _NUMBER)).as_py() or 0
        if truths and truths >= numbers:
            return boolean(column, text=True)
    return numeric(column, text=text)


def distinct(column: Column) -> Converted | None:
    """Values to be told apart: integers, strings, booleans, dates, timestamps, decimals; else None."""
    kind = column.type
    if pa.types.is_integer(kind):
        return _integers(column)
    if is_text(kind) or pa.types.is_null(kind):
        return Converted(column.cast(pa.string()))
    if pa.types.is_boolean(kind):
        return Converted(column)
    if pa.types.is_date(kind):
        return Converted(column.cast(pa.date32(), safe=False))
    if pa.types.is_timestamp(kind):
        found = instants(column)
        return found and Converted(found.values.cast(TIMESTAMP), found.broken)
    return _decimals(column) if pa.types.is_decimal(kind) else None


def _integers(column: Column) -> Converted:
    if column.type == pa.uint64():
        large = pc.greater(column, pa.scalar(2**63 - 1, pa.uint64()))
        return Converted(column.cast(pa.int64(), safe=False), ((_TOO_LARGE, _mask(large)),))
    return Converted(column.cast(pa.int64()))


def _parsed_integers(texts: Column) -> Converted:
    fits = pc.or_(pc.match_substring_regex(texts, _WHOLE), pc.is_in(texts, _nineteen_digits(texts)))
    values = pc.if_else(fits, texts, "0").cast(pa.int64())
    return Converted(values, ((_TOO_LARGE, _mask(pc.invert(fits))),))


def _nineteen_digits(texts: Column) -> pa.Array[pa.StringScalar]:
    """Those long texts that still fit in 64 bits."""
    long = pc.unique(pc.filter(texts, pc.match_substring_regex(texts, r"^-?\d{19}\z")))
    return pa.array([one for one in long.to_pylist() if -(2**63) <= int(one) < 2**63], pa.string())


def _floats(column: Column) -> Converted:
    wrong = pc.invert(pc.is_finite(column))
    return Converted(pc.add(column, 0.0), (("is not a finite number", _mask(wrong)),))


def _decimals(column: Column) -> Converted | None:
    kind = column.type
    if kind.precision > 38:  # what SQL engines hold
        return None
    return Converted(column.cast(pa.decimal128(kind.precision, kind.scale)))


def _parsed(texts: Column) -> Converted:
    texts = pc.utf8_trim_whitespace(texts)
    fine = pc.match_substring_regex(texts, _NUMBER)
    digits = pc.utf8_ltrim(pc.if_else(fine, texts, "0"), "+")
    wrong = ("is not a number", _mask(pc.invert(fine)))
    if _all(pc.match_substring_regex(digits, _WHOLE)):
        return Converted(digits.cast(pa.int64()), (wrong,))
    floats = _floats(digits.cast(pa.float64()))
    return Converted(floats.values, (wrong, *floats.broken))


def _all(condition: Column) -> bool:
    return bool(pc.all(condition, min_count=0).as_py())


def _mask(condition: Column) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(condition, False), dtype=np.bool_)
