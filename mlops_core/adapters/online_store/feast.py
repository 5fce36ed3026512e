"""The online store of Feast 0.67: SQLite by default, Redis or another that Feast knows by its configuration.

Feast writes row by row, forgets no entity and lets older values replace newer ones. So each set of values is
written whole as a view of its own, a generation, and a small state file says which one is read: readers see
all of the old or all of the new. The generation before stays until the next write, for readers under way.
"""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from mlops_core.adapters.feature_store.feast_process import FeastProcess
from mlops_core.adapters.online_store.keys import stored_key
from mlops_core.disk import replace_file, translated
from mlops_core.domain.digest import digest_bytes
from mlops_core.domain.online import OnlineState
from mlops_core.domain.value import Value
from mlops_core.errors import MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.adapters.online_store.rows import OnlineRows
    from mlops_core.domain.online import FeatureValue, Key

__all__ = ["FeastOnlineStore"]

_PRESENT = "present"
_SQLITE = {"type": "sqlite", "path": "online.db"}
_TRIES = 3


class _Held(Value):
    """What the state file of a set says; `keys` and `features` are the columns' kinds.

    A generation's name is never used again: other processes may have the old view of that name in mind.
    """

    name: str
    state: OnlineState
    generation: str
    keys: tuple[Literal["integer", "text"], ...]
    names: tuple[str, ...]
    features: tuple[Literal["integer", "number"], ...]

    @property
    def view(self) -> str:
        return f"{_prefix(self.name)}{self.generation}"

    def described(self, source: Path) -> dict[str, object]:
        """The view for the bridge; values are named f0… and a column that is never null says who is there."""
        return {
            "view": self.view,
            "source": str(source),
            "keys": [(f"k{number}", kind) for number, kind in enumerate(self.keys)],
            "features": [
                (_PRESENT, "integer"),
                *((f"f{number}", kind) for number, kind in enumerate(self.features)),
            ],
        }


class FeastOnlineStore:
    """`mlops_core.ports.OnlineStore` in Feast's online store, by a Feast repository in `folder`.

    `online` is Feast's configuration of the store (the `online_store` of its feature_store.yaml), such as
    `{"type": "redis", "connection_string": "localhost:6379"}`; SQLite in `folder` without it. `python` is the
    interpreter of Feast's environment (default: FEAST_PYTHON, or the cached environment), or `process` is one
    to share with other stores. A set that changed is written whole: Feast can neither remove entities nor
    change several of them in one step.
    """

    def __init__(
        self,
        folder: Path,
        *,
        python: Path | None = None,
        online: Mapping[str, object] | None = None,
        process: FeastProcess | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self._online = dict(online or _SQLITE)
        self._process = process or FeastProcess(python)

    def write(self, name: str, table: pa.Table, keys: Sequence[str], as_of: datetime) -> OnlineState:
        """See `OnlineStore.write`."""
        from mlops_core.adapters.online_store.rows import OnlineRows  # not needed to read

        rows = OnlineRows.of(table, keys)
        state = rows.state(as_of)
        with self._writing():
            held = self._held(name)
            if held is not None and (held.state == state or held.state.as_of > state.as_of):
                return held.state
            if held is not None and held.state.digest == state.digest:
                self._keep(held.model_copy(update={"state": state}))
                return state
            listed = [keys] if isinstance(keys, str) else list(keys)
            new = _Held(
                name=name,
                state=state,
                generation=uuid.uuid4().hex[:12],
                keys=_key_kinds(table, listed),
                names=rows.names,
                features=tuple("integer" if kind == "q" else "number" for kind in rows.kinds),
            )
            self._replace(held, new, rows)
        return state

    def read(self, name: str, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        """See `OnlineStore.read`."""
        held = self._held(name)
        for _ in range(_TRIES):
            if held is None:
                break
            try:
                return self._read(held, keys)
            except MlopsError:
                before, held = held, self._held(name)
                if held is not None and held.generation == before.generation:
                    raise
        raise NotFound(f"no online values of {name!r} in {self._folder}. Materialise them first.")

    def state(self, name: str) -> OnlineState | None:
        """See `OnlineStore.state`."""
        held = self._held(name)
        return None if held is None else held.state

    def names(self) -> list[str]:
        """See `OnlineStore.names`."""
        files = sorted(self._folder.glob("sets/*.json"))
        return sorted(_Held.model_validate_json(file.read_bytes()).name for file in files)

    def drop(self, name: str) -> None:
        """See `OnlineStore.drop`."""
        if self._held(name) is None:
            return
        with self._writing():
            self._state_file(name).unlink(missing_ok=True)  # first: nobody may read what is being removed
            self._forget(name, keep=())

    def close(self) -> None:
        """End Feast's process; the next call that needs it starts another."""
        self._process.close()

    def _replace(self, held: _Held | None, new: _Held, rows: OnlineRows) -> None:
        self._forget(new.name, keep=() if held is None else (held.view,))
        source = self._folder / "data" / f"{new.view}.parquet"
        with translated("write online values", self._folder):
            source.parent.mkdir(exist_ok=True)
            _write_rows(rows, new, source)
        described = new.described(source)
        as_of = new.state.as_of.isoformat()
        self._process.call("write", folder=str(self._folder), view=described, as_of=as_of)
        self._keep(new)

    def _read(self, held: _Held, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        found: list[Mapping[str, FeatureValue] | None] = [None] * len(keys)
        asked = {number: parts for number, key in enumerate(keys) if (parts := _parts(held, key)) is not None}
        if not asked:
            return found
        view = held.described(self._folder)
        answer = self._process.call("read", folder=str(self._folder), view=view, rows=list(asked.values()))
        for number, values in zip(asked, answer["rows"], strict=True):
            if values is not None:
                found[number] = dict(zip(held.names, values[1:], strict=True))
        return found

    def _forget(self, name: str, keep: Sequence[str]) -> None:
        self._process.call("forget", folder=str(self._folder), prefix=_prefix(name), keep=keep)
        for file in self._folder.glob(f"data/{_prefix(name)}*.parquet"):
            if file.stem not in keep:
                file.unlink()

    def _held(self, name: str) -> _Held | None:
        try:
            return _Held.model_validate_json(self._state_file(name).read_bytes())
        except FileNotFoundError:
            return None

    def _keep(self, held: _Held) -> None:
        file = self._state_file(held.name)
        with translated("write the state of online values", self._folder):
            file.parent.mkdir(exist_ok=True)
            replace_file(file, held.model_dump_json().encode())

    def _state_file(self, name: str) -> Path:
        return self._folder / "sets" / f"{_slug(name)}.json"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One writer at a time: Feast's registry is one file, replaced as a whole."""
        from filelock import FileLock, Timeout

        with translated("write online values", self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._folder / "write.lock", timeout=self._process.timeout):
                self._configure()
                yield
        except Timeout as error:
            raise Unavailable(
                f"another process has been writing to {self._folder} for {self._process.timeout:g} seconds. "
                "Wait for it to end, then run the same again."
            ) from error

    def _configure(self) -> None:
        """The repository's feature_store.yaml; JSON is YAML."""
        configuration = {
            "project": "mlops",
            "provider": "local",
            "registry": "registry.db",
            "offline_store": {"type": "duckdb"},
            "online_store": self._online,
            "entity_key_serialization_version": 3,
        }
        content = json.dumps(configuration, indent=2).encode() + b"\n"
        file = self._folder / "feature_store.yaml"
        if not file.exists() or file.read_bytes() != content:
            replace_file(file, content)


def _write_rows(rows: OnlineRows, held: _Held, into: Path) -> None:
    """The values as the file that Feast's view names: a column a key part, the marker, a column a feature."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"integer": pa.int64(), "text": pa.string()}
    parts = [json.loads(key) if isinstance(key, bytes) else [key] for key in rows.keys]
    columns = {
        f"k{number}": pa.array([part[number] for part in parts], types[kind])
        for number, kind in enumerate(held.keys)
    }
    columns["ts"] = pa.array([held.state.as_of] * len(parts), pa.timestamp("us", "UTC"))
    columns[_PRESENT] = pa.array([1] * len(parts), pa.int64())
    columns |= {f"f{number}": column for number, column in enumerate(rows.features.columns)}
    pq.write_table(pa.table(columns), into)


def _key_kinds(table: pa.Table, keys: Sequence[str]) -> tuple[Literal["integer", "text"], ...]:
    import pyarrow as pa

    return tuple("integer" if pa.types.is_integer(table.column(key).type) else "text" for key in keys)


def _parts(held: _Held, key: Key) -> tuple[int | str, ...] | None:
    """The key's parts; None for one that cannot be there: Feast takes "1" for 1 where keys are integers."""
    if isinstance(key, tuple) != (len(held.keys) > 1) or stored_key(key) is None:
        return None
    parts = key if isinstance(key, tuple) else (key,)
    kinds = tuple("integer" if isinstance(part, int) else "text" for part in parts)
    return parts if kinds == held.keys else None


def _prefix(name: str) -> str:
    """What the names of a set's views in Feast begin with: any name is a name there."""
    return f"set_{_slug(name)}_g"


def _slug(name: str) -> str:
    return digest_bytes(name.encode())[:24]
