"""A table of feature values, checked and sorted by key: what every online store keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_table
from mlops_core.domain.online import OnlineState
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import pyarrow as pa

    from mlops_core.domain.online import FeatureValue, Key

__all__ = ["OnlineRows"]


@dataclass(frozen=True, kw_only=True)
class OnlineRows:
    """Values by key. `kinds` has a letter a feature, as in `struct`: q for int64, d for float64."""

    names: tuple[str, ...]
    kinds: str
    keys: list[Key]
    columns: tuple[list[FeatureValue], ...]
    digest: str

    @classmethod
    def of(cls, table: pa.Table, key: str) -> OnlineRows:
        """Rows of a table of a key column and features.

        Raises `DataError` for a key that is missing, null, twice there, or no integer or string, and for a
        feature that is no integer or float.
        """
        names = table.column_names
        if names.count(key) != 1 or len(set(names)) != len(names):
            raise DataError(f"online values need one key column {key!r} and names that differ, not {names}.")
        table = _canonical(table, key).sort_by(key)
        keys: list[Key] = table.column(key).to_pylist()
        nulls, repeated = table.column(key).null_count, len(keys) - len(set(keys))
        if nulls or repeated:
            raise DataError(
                f"{key!r} is null in {nulls:,} and repeated in {repeated:,} of {len(keys):,} rows. Online "
                "values need exactly one row a key."
            )
        features = table.drop_columns(key)
        return cls(
            names=tuple(features.column_names),
            kinds="".join("q" if str(kind) == "int64" else "d" for kind in features.schema.types),
            keys=keys,
            columns=tuple(column.to_pylist() for column in features.columns),
            digest=digest_table(table),
        )

    def __iter__(self) -> Iterator[tuple[Key, tuple[FeatureValue, ...]]]:
        """Keys, each with its feature values."""
        values = zip(*self.columns, strict=True) if self.columns else iter([()] * len(self.keys))
        return zip(self.keys, values, strict=True)

    def state(self, as_of: datetime) -> OnlineState:
        """What a store holds when these are its values, as of `as_of` (naive is UTC)."""
        aware = as_of.astimezone(UTC) if as_of.tzinfo else as_of.replace(tzinfo=UTC)
        return OnlineState(as_of=aware, rows=len(self.keys), digest=self.digest)


def _canonical(table: pa.Table, key: str) -> pa.Table:
    """The key first, as int64 or string, then the features as int64 or float64 in their order."""
    import pyarrow as pa

    columns = {key: table.column(key), **dict(zip(table.column_names, table.columns, strict=True))}
    targets = {name: _target(name, column.type, is_key=name == key) for name, column in columns.items()}
    try:
        return pa.table({name: column.cast(targets[name]) for name, column in columns.items()})
    except pa.ArrowInvalid as error:
        raise DataError(f"an integer is too large for 64 bits with a sign: {error}") from error


def _target(name: str, kind: pa.DataType, *, is_key: bool) -> pa.DataType:
    import pyarrow as pa

    if pa.types.is_integer(kind):
        return pa.int64()
    if is_key and kind in (pa.string(), pa.large_string(), pa.string_view()):
        return pa.string()
    if not is_key and pa.types.is_floating(kind):
        return pa.float64()
    expected = "integers or strings" if is_key else "integers or floats"
    raise DataError(f"online values of {name!r} must be {expected}, found {kind}. Cast or drop the column.")
