"""A table of feature values, checked and sorted by key: what every online store keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from mlops_core.adapters.online_store.keys import stored_key
from mlops_core.domain.digest import digest_table
from mlops_core.domain.online import OnlineState
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import pyarrow as pa

    from mlops_core.adapters.online_store.keys import StoredKey
    from mlops_core.domain.online import FeatureValue

__all__ = ["OnlineRows"]


@dataclass(frozen=True, kw_only=True)
class OnlineRows:
    """Values by key. `kinds` has a letter a feature, as in `struct`: q for int64, d for float64."""

    names: tuple[str, ...]
    kinds: str
    keys: list[StoredKey]
    features: pa.Table
    digest: str

    @classmethod
    def of(cls, table: pa.Table, keys: Sequence[str]) -> OnlineRows:
        """Rows of a table of key columns and features.

        Raises `DataError` for a key that is missing, null, twice there, or no integer or string, and for a
        feature that is no integer or float.
        """
        keys, names = _listed(keys), table.column_names
        differ = len(set(keys)) == len(keys) and len(set(names)) == len(names)
        if not keys or not differ or not set(keys) <= set(names):
            raise DataError(
                f"online values need one column for each key of {keys}, at least one key, and names that "
                f"differ; found the columns {names}."
            )
        table = _canonical(table, keys).sort_by([(key, "ascending") for key in keys])
        features = table.drop_columns(keys)
        return cls(
            names=tuple(features.column_names),
            kinds="".join("q" if str(kind) == "int64" else "d" for kind in features.schema.types),
            keys=_stored_keys(table, keys),
            features=features,
            digest=digest_table(table),
        )

    @property
    def names_json(self) -> str:
        """The names of the features, as `Packing.of` reads them."""
        return json.dumps(self.names)

    def values(self) -> Iterator[tuple[StoredKey, tuple[FeatureValue, ...]]]:
        """Keys, each with its feature values."""
        columns = [column.to_pylist() for column in self.features.columns]
        values = zip(*columns, strict=True) if columns else iter([()] * len(self.keys))
        return zip(self.keys, values, strict=True)

    def packed(self) -> Iterator[tuple[StoredKey, bytes]]:
        """Keys, each with its feature values as `Packing` reads them."""
        return zip(self.keys, _packed(self.features), strict=True)

    def state(self, as_of: datetime) -> OnlineState:
        """What a store holds when these are its values, as of `as_of` (naive is UTC)."""
        aware = as_of.astimezone(UTC) if as_of.tzinfo else as_of.replace(tzinfo=UTC)
        return OnlineState(as_of=aware, rows=len(self.keys), digest=self.digest)


def _listed(keys: Sequence[str]) -> list[str]:
    """The key columns; one name that was given for the list would else be taken letter by letter."""
    return [keys] if isinstance(keys, str) else list(keys)


def _canonical(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The keys first, as int64 or string, then the features as int64 or float64 in their order."""
    import pyarrow as pa

    columns = {key: table.column(key) for key in keys}
    columns |= dict(zip(table.column_names, table.columns, strict=True))
    targets = {name: _target(name, column.type, is_key=name in keys) for name, column in columns.items()}
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


def _stored_keys(table: pa.Table, keys: Sequence[str]) -> list[StoredKey]:
    columns = [table.column(key).to_pylist() for key in keys]
    parts = columns[0] if len(keys) == 1 else list(zip(*columns, strict=True))
    found = [None if key is None else stored_key(key) for key in parts]
    stored = [key for key in found if key is not None]  # a part that is null cannot be stored either
    nulls, repeated = len(found) - len(stored), len(stored) - len(set(stored))
    if nulls or repeated:
        raise DataError(
            f"{', '.join(map(repr, keys))} is null in {nulls:,} and repeated in {repeated:,} of "
            f"{len(found):,} rows. Online values need exactly one row a key."
        )
    return stored


def _packed(features: pa.Table) -> Iterator[bytes]:
    """Rows in the layout of `Packing`. A column at a time: packing row by row takes ten times as long."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    shape = features.num_rows, features.num_columns
    flags, values = np.empty(shape, np.uint8), np.empty(shape, "<i8")
    for number, column in enumerate(features.columns):
        flags[:, number] = pc.is_null(column).to_numpy()
        filled = pc.fill_null(column, pa.scalar(0, column.type)).to_numpy()
        values[:, number] = filled.astype(filled.dtype.newbyteorder("<")).view("<i8")
    width = 9 * features.num_columns
    content = np.hstack([flags, values.view(np.uint8).reshape(shape[0], 8 * shape[1])]).tobytes()
    return (content[row * width : (row + 1) * width] for row in range(shape[0]))
