"""Objects and who set which of their fields: server-side apply, as an API server was seen to do it."""

from __future__ import annotations

import copy
import json
from typing import Any
from uuid import uuid4

from tests.kubernetes.checks import mistakes

__all__ = ["Refused", "Store", "status"]

Path = tuple[str, ...]
_ATOMIC = {"selector", "matchLabels", "backendRefs", "matches", "drop", "metrics"}
_KEYS = ("name", "mountPath", "port", "containerPort", "protocol", "topologyKey")


class Refused(Exception):
    """An answer that is a Status."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code, self.body = code, status(code, reason, message, **details)


def status(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:
    """A Status object."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details,
        "code": code,
    }


class Store:
    """Objects by plural and name, of one namespace."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self._owners: dict[tuple[str, str], dict[str, set[Path]]] = {}
        self._version = 0

    def get(self, plural: str, name: str) -> dict[str, Any]:
        """An object. Raises `Refused`."""
        try:
            return self.objects[plural, name]
        except KeyError:
            raise Refused(404, "NotFound", f'{plural} "{name}" not found', name=name, kind=plural) from None

    def chosen(self, plural: str, labels: dict[str, str]) -> list[dict[str, Any]]:
        """Objects that have all these labels."""
        return [
            made
            for (kind, _), made in sorted(self.objects.items())
            if kind == plural and labels.items() <= made["metadata"].get("labels", {}).items()
        ]

    def apply(
        self, plural: str, given: dict[str, Any], manager: str, *, force: bool = False, dry: bool = False
    ) -> dict[str, Any]:
        """Set the fields given, and remove those that this manager set earlier and no longer gives."""
        key = (plural, given["metadata"]["name"])
        before = self.objects.get(key)
        made = copy.deepcopy(before) if before else {"metadata": {"uid": str(uuid4()), "generation": 1}}
        owners = {name: set(paths) for name, paths in self._owners.get(key, {}).items()}
        wanted = _leaves(given)
        self._check_owners(made, wanted, owners, manager, force, key)
        for path in owners.get(manager, set()) - set(wanted):
            if not any(path in paths for name, paths in owners.items() if name != manager):
                _remove(made, path)
        for path, value in wanted.items():
            _put(made, path, value)
        owners[manager] = set(wanted)
        _defaults(made)
        _check(before, made)
        if not dry:
            self._keep(key, before, made, owners)
        return made

    def update(self, plural: str, name: str, path: Path, value: Any, manager: str) -> None:
        """Set one field as a controller or `kubectl edit` does."""
        made = self.get(plural, name)
        before = copy.deepcopy(made)
        _put(made, path, value)
        owners = self._owners[plural, name]
        for paths in owners.values():
            paths.discard(path)
        owners.setdefault(manager, set()).add(path)
        self._keep((plural, name), before, made, owners)

    def delete(self, plural: str, name: str) -> None:
        """Delete an object. Raises `Refused`."""
        self.get(plural, name)
        del self.objects[plural, name], self._owners[plural, name]

    def _check_owners(
        self,
        made: dict[str, Any],
        wanted: dict[Path, Any],
        owners: dict[str, set[Path]],
        manager: str,
        force: bool,
        key: tuple[str, str],
    ) -> None:
        causes = []
        for other, paths in owners.items():
            for path in sorted(paths & set(wanted)) if other != manager else ():
                if _found(made, path) == wanted[path]:
                    continue
                if force:
                    paths.discard(path)
                    continue
                field = "." + ".".join(path)
                message = f'conflict with "{other}"'
                causes.append({"reason": "FieldManagerConflict", "message": message, "field": field})
        if causes:
            raise Refused(
                409, "Conflict", f"Apply failed with {len(causes)} conflict", name=key[1], causes=causes
            )

    def _keep(
        self,
        key: tuple[str, str],
        before: dict[str, Any] | None,
        made: dict[str, Any],
        owners: dict[str, set[Path]],
    ) -> None:
        self._owners[key] = owners
        if before == made:
            return  # and the resourceVersion stays as it is
        if before is not None and before.get("spec") != made.get("spec"):
            made["metadata"]["generation"] += 1
        self._version += 1
        made["metadata"]["resourceVersion"] = str(self._version)
        self.objects[key] = made


def _check(before: dict[str, Any] | None, made: dict[str, Any]) -> None:
    wrong = mistakes({field: value for field, value in made.items() if field != "status"})
    old = (before or {}).get("spec", {}).get("selector")
    if made["kind"] == "Deployment" and old not in (None, made["spec"]["selector"]):
        wrong = (*wrong, "spec.selector: Invalid value: field is immutable")
    if wrong:
        name = made["metadata"]["name"]
        raise Refused(422, "Invalid", f'{made["kind"]} "{name}" is invalid: {"; ".join(wrong)}', name=name)


def _defaults(made: dict[str, Any]) -> None:
    """Those that matter here."""
    if made["kind"] == "Deployment":
        made["spec"].setdefault("replicas", 1)


def _leaves(given: Any, path: Path = ()) -> dict[Path, Any]:
    """The fields of what is applied; elements of lists go by their keys, where the kind says so."""
    if isinstance(given, dict) and (not path or path[-1] not in _ATOMIC) and given:
        found: dict[Path, Any] = {}
        for name, value in given.items():
            if path == () and name in ("apiVersion", "kind"):
                found[(name,)] = value
            else:
                found.update(_leaves(value, (*path, name)))
        return found
    if isinstance(given, list) and path[-1] not in _ATOMIC and given and _key(given[0]):
        parts: dict[Path, Any] = {}
        for one in given:
            parts.update(_leaves(one, (*path, _key(one))))
        return parts
    return {path: copy.deepcopy(given)}


def _key(one: Any) -> str:
    if not isinstance(one, dict):
        return ""
    keys = {name: one[name] for name in _KEYS if isinstance(one.get(name), (str, int))}
    return f"k:{json.dumps(keys)}" if keys else ""


def _put(made: dict[str, Any], path: Path, value: Any) -> None:
    at: Any = made
    for index, name in enumerate(path[:-1]):
        inner: Any = [] if path[index + 1].startswith("k:{") else {}
        at = _into(at, name, inner)
    if isinstance(at, list):
        at.append(copy.deepcopy(value))
    else:
        at[path[-1]] = copy.deepcopy(value)


def _into(at: Any, name: str, inner: Any) -> Any:
    if not name.startswith("k:{"):
        return at.setdefault(name, inner)
    for one in at:
        if _key(one) == name:
            return one
    made = json.loads(name[2:])
    at.append(made)
    return made


def _found(made: Any, path: Path) -> Any:
    at = made
    for name in path:
        if isinstance(at, list):
            at = next((one for one in at if _key(one) == name), None)
        else:
            at = at.get(name) if isinstance(at, dict) else None
    return at


def _remove(made: dict[str, Any], path: Path) -> None:
    parent = _found(made, path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)
        grandparent = _found(made, path[:-2]) if path[-2].startswith("k:{") else None
        if isinstance(grandparent, list) and not parent.keys() - set(_KEYS):
            grandparent.remove(parent)
