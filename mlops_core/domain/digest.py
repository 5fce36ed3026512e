"""The one place where a digest is computed.

All digests are lower-case hex SHA-256. What is hashed is canonical, so equal content gives equal digests on
any machine: values as JSON with sorted keys, folders as the sorted list of (path, digest of bytes), tables
column by column with nulls blanked out, so neither chunking nor the bytes beneath a null can show through.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

__all__ = [
    "canonical",
    "digest_bytes",
    "digest_file",
    "digest_of",
    "digest_table",
    "digest_tree",
    "file_digests",
]


def digest_bytes(content: bytes) -> str:
    """Digest of raw bytes."""
    return hashlib.sha256(content).hexdigest()


def canonical(value: Any) -> str:
    """The JSON text that stands for a value, the same wherever it is written.

    Pydantic values anywhere inside count as their JSON form. Raises `TypeError` for anything JSON cannot say
    and `ValueError` for NaN or an infinity.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
    )


def digest_of(value: Any) -> str:
    """Digest of a JSON-serialisable value: that of its `canonical` text as UTF-8. Raises as that does."""
    return digest_bytes(canonical(value).encode())


def digest_file(path: Path) -> str:
    """Digest of a file's bytes, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_digests(folder: Path) -> dict[str, str]:
    """Digest of every file below `folder`, by its path relative to it, with forward slashes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): digest_file(path) for path in files}


def digest_tree(folder: Path) -> str:
    """Digest of a folder: names and contents of all files below it."""
    return digest_of(file_digests(folder))


def digest_table(table: pa.Table) -> str:
    """Digest of an Arrow table's schema and values, in row order, whatever its chunks.

    Columns of numbers, booleans, decimals, dates, timestamps and strings; others raise `TypeError`.
    """
    import pyarrow as pa

    state = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        state.update(f"{name}\0{column.type}\0{len(column)}\0".encode())
        array = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
        for part in _canonical_parts(array):
            state.update(part)
    return state.hexdigest()


def _canonical_parts(array: Any) -> list[bytes]:  # Any: the stubs know no array of unknown type
    import pyarrow as pa
    import pyarrow.compute as pc

    valid = pc.is_valid(array).to_numpy(zero_copy_only=False).tobytes()
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_decimal(kind):
        texts = pc.fill_null(pc.cast(array, pa.large_string()), "")
        lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
        return [valid, lengths.astype("<i8").tobytes(), "".join(texts.to_pylist()).encode()]
    if pa.types.is_temporal(kind):
        array = array.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise TypeError(f"no digest for a column of type {kind}")
    blank = pa.scalar(0, pa.int64()).cast(array.type)
    values = pc.fill_null(array, blank).to_numpy(zero_copy_only=False)
    return [valid, values.astype(values.dtype.newbyteorder("<")).tobytes()]


def _plain(value: Any) -> Any:
    if not hasattr(value, "__pydantic_serializer__"):
        raise TypeError(f"{type(value).__name__} has no JSON form, so it has no digest")
    return to_jsonable_python(value)
