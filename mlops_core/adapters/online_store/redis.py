"""The online store in Redis: a hash a set, one packed row an entity, of which a write changes what differs.

The hash `{mlops:<name>}` has a field an entity and, under the empty field, the description of the set as
JSON. So a single HMGET reads description and rows: a read is atomic in one round trip, and a server short of
memory evicts a set whole or not at all. A writer watches the hash, compares its rows with those stored and
changes what differs in one transaction; when another writer was faster, it starts again.

A transaction keeps the server from everyone else, so many changes are not made in one. Then the whole hash is
loaded aside, in parts, as `{mlops:<name>}:draft:<token>`, and renamed. The draft of a killed writer expires.
What stands in the braces is the hash tag that keeps both names in one slot of a cluster.
"""

from __future__ import annotations

import json
import logging
import secrets
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError as error:
    from mlops_core.errors import MlopsError

    raise MlopsError("the online store in Redis needs the extra: pip install 'mlops-core[redis]'") from error

from mlops_core.adapters.online_store.keys import stored_key
from mlops_core.adapters.online_store.packing import Packing
from mlops_core.adapters.online_store.redis_errors import address_of, no_url, translated
from mlops_core.domain.online import OnlineState
from mlops_core.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa
    from redis.client import Pipeline

    from mlops_core.adapters.online_store.keys import StoredKey
    from mlops_core.adapters.online_store.rows import OnlineRows
    from mlops_core.domain.online import FeatureValue, Key

__all__ = ["RedisOnlineStore"]

_LOG = logging.getLogger(__name__)
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 10.0
_DRAFT_SECONDS = 600  # after its last part
_AT_ONCE = 5_000  # rows changed in one transaction: some milliseconds of the server
_PART = 500  # rows of one command
_ATTEMPTS = 5
_PREFIX, _SUFFIX = "{mlops:", "}"
_DESCRIPTION = b""  # no key is stored under the empty field


class _Change(NamedTuple):
    """What makes the stored hash the new one: fields to set, fields to remove."""

    put: dict[bytes, bytes]
    gone: list[bytes]


class RedisOnlineStore:
    """`mlops_core.ports.OnlineStore` on the Redis server at `url` (7 or later, not a cluster of several).

    Any thread and process may share the store. Raises `BadInput` for a URL that is none, `Unavailable` when
    the server cannot be reached, does not answer within 10 seconds, is loading or read-only, `IntegrityError`
    for what is there and cannot be ours, and `MlopsError` when the server refuses.
    """

    def __init__(self, url: str) -> None:
        self._address = address_of(url)
        # One retry, at once: for a kept connection that the server closed meanwhile. More is the task's to do
        retry = Retry(NoBackoff(), 1)
        try:
            self._client: redis.Redis = redis.Redis.from_url(
                url, socket_connect_timeout=_CONNECT_SECONDS, socket_timeout=_ANSWER_SECONDS, retry=retry
            )
            pool = self._client.connection_pool
            pool.connection_class(**pool.connection_kwargs)  # connects to nothing, but takes the options
        except (ValueError, TypeError, redis.RedisError) as error:
            raise no_url() from error
        weakref.finalize(self, self._client.close)

    def write(self, name: str, table: pa.Table, keys: Sequence[str], as_of: datetime) -> OnlineState:
        """See `OnlineStore.write`."""
        from mlops_core.adapters.online_store.rows import OnlineRows  # not needed to read

        rows = OnlineRows.of(table, keys)
        state = rows.state(as_of)
        fields = {_field(key): packed for key, packed in rows.packed()}
        fields[_DESCRIPTION] = _described(state, rows)
        with translated(self._address, _hash(name)):
            for _ in range(_ATTEMPTS):
                with suppress(redis.WatchError):
                    return self._write(name, fields, state)
        raise Unavailable(
            f"other writers changed the online values of {name!r} at {self._address} {_ATTEMPTS} times while "
            "these were written. Nothing of these is there; try again when the others have finished."
        )

    def read(self, name: str, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        """See `OnlineStore.read`."""
        stored = [stored_key(key) for key in keys]
        fields = [None if key is None else _field(key) for key in stored]
        asked = [field for field in fields if field is not None]
        with translated(self._address, _hash(name)):
            described, *packed = _answer(self._client.hmget(_hash(name), [_DESCRIPTION, *asked]))
            if described is not None:
                content = json.loads(described)
                unpack = Packing.of(content["features"], content["kinds"]).unpack
                found = dict(zip(asked, packed, strict=True))
                rows = [None if field is None else found[field] for field in fields]
                return [None if row is None else unpack(row) for row in rows]
        raise NotFound(
            f"no online values of {name!r} are at {self._address}: none were written, or the server removed "
            "them. Materialise them first."
        )

    def state(self, name: str) -> OnlineState | None:
        """See `OnlineStore.state`."""
        with translated(self._address, _hash(name)):
            return _state(_answer(self._client.hget(_hash(name), _DESCRIPTION)))

    def names(self) -> list[str]:
        """See `OnlineStore.names`. Looks through all keys of the database, in parts."""
        pattern = f"{_PREFIX}*{_SUFFIX}"
        with translated(self._address, pattern):
            found = {key.decode() for key in self._client.scan_iter(pattern, count=1_000, _type="HASH")}
        return sorted(key.removeprefix(_PREFIX).removesuffix(_SUFFIX) for key in found)

    def drop(self, name: str) -> None:
        """See `OnlineStore.drop`."""
        with translated(self._address, _hash(name)):
            self._client.unlink(_hash(name))

    def close(self) -> None:
        """Close the connections that are kept; the next call opens one again."""
        self._client.close()

    def _write(self, name: str, fields: dict[bytes, bytes], state: OnlineState) -> OnlineState:
        """Raises `redis.WatchError` when another writer was faster."""
        key = _hash(name)
        with self._client.pipeline() as pipe:
            pipe.watch(key)  # type: ignore[no-untyped-call] # redis-py left it out
            held = _state(_answer(pipe.hget(key, _DESCRIPTION)))
            if held is not None and (held == state or held.as_of > state.as_of):
                return held
            if held is not None and held.digest == state.digest:
                change = _Change({_DESCRIPTION: fields[_DESCRIPTION]}, [])
            else:
                change = _difference(pipe, key, fields)
            if len(change.put) + len(change.gone) > _AT_ONCE:
                self._replace(pipe, key, fields)
            else:
                pipe.multi()
                _put(pipe, key, change.put)
                for part in _parts(change.gone):
                    pipe.hdel(key, *part)
                pipe.execute()
        _LOG.info(
            "online values of %s: %d of %d rows written, %d removed",
            name,
            len(change.put) - 1,
            state.rows,
            len(change.gone),
        )
        return state

    def _replace(self, pipe: Pipeline, key: str, fields: dict[bytes, bytes]) -> None:
        """Load all fields aside and rename them; the watch says when they were evicted meanwhile."""
        draft = f"{key}:draft:{secrets.token_hex(8)}"
        try:
            for part in _parts(list(fields.items())):
                with self._client.pipeline(transaction=False) as load:
                    _put(load, draft, dict(part))
                    load.expire(draft, _DRAFT_SECONDS)
                    load.execute()
            pipe.watch(draft)  # type: ignore[no-untyped-call] # redis-py left it out
            if pipe.hlen(draft) != len(fields):
                raise redis.WatchError("parts of the draft are gone")
            pipe.multi()
            pipe.unlink(key)  # renaming over it would free its memory while everyone waits
            pipe.rename(draft, key)
            pipe.persist(key)
            pipe.execute()
        finally:
            with suppress(redis.RedisError):  # it expires anyway
                self._client.unlink(draft)


def _hash(name: str) -> str:
    return f"{_PREFIX}{name}{_SUFFIX}"


def _field(key: StoredKey) -> bytes:
    """A number, a text after a quote, or the JSON of a composite key, which begins with a bracket."""
    if isinstance(key, int):
        return b"%d" % key
    return key if isinstance(key, bytes) else b'"' + key.encode()


def _described(state: OnlineState, rows: OnlineRows) -> bytes:
    content = {
        "state": state.model_dump(mode="json"),
        "features": rows.names_json,
        "kinds": rows.kinds,
    }
    return json.dumps(content).encode()


def _state(described: bytes | None) -> OnlineState | None:
    return None if described is None else OnlineState.model_validate(json.loads(described)["state"])


def _difference(pipe: Pipeline, key: str, fields: dict[bytes, bytes]) -> _Change:
    """What differs, looked for in parts: reading all at once would keep everyone else waiting."""
    put, gone = dict(fields), []
    cursor = -1
    while cursor:
        cursor, part = _answer(pipe.hscan(key, max(cursor, 0), count=2 * _PART))
        for field, packed in part.items():
            if field not in fields:
                gone.append(field)
            elif fields[field] == packed:
                put.pop(field, None)  # a scan may say a field twice
    return _Change(put, list(dict.fromkeys(gone)))


def _put(pipe: Pipeline, key: str, fields: dict[bytes, bytes]) -> None:
    for part in _parts(list(fields.items())):
        pipe.hset(key, items=[one for pair in part for one in pair])


def _parts(whole: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (whole[start : start + _PART] for start in range(0, len(whole), _PART))


def _answer(answer: Any) -> Any:
    """What a command of a client that waits answers; its types allow for one that does not."""
    return answer
