"""What an API server checks of an object before it takes it, here by published schemas of the kinds."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it has no types

__all__ = ["VERSION", "VERSIONS", "mistakes"]

VERSIONS = tuple(f"1.{minor}" for minor in range(31, 38))
VERSION = "1.34"
_SCHEMAS = Path(__file__).with_name("schemas.json")


@cache
def _own() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_SCHEMAS.read_text())
    return found


@cache
def _registry(version: str) -> Any:
    from kubernetes_validate import utils  # type: ignore[import-untyped] # it has no types
    from referencing import Registry, Resource

    definitions = utils.schema_contents(_file(version, "_definitions"), version)
    return Resource.from_contents(definitions) @ Registry()


@cache
def _validator(kind: str, api_version: str, version: str) -> Any:
    """That of kubernetes-validate with `--strict`, which it makes anew for each object."""
    from kubernetes_validate import utils
    from referencing import Resource

    if kind in _own():
        return jsonschema.Draft202012Validator(_own()[kind])
    group, _, number = api_version.rpartition("/")
    name = f"{kind.lower()}-{group.partition('.')[0]}-{number}" if group else f"{kind.lower()}-{number}"
    schema = utils.schema_contents(_file(version, name), version)
    registry = Resource.from_contents(schema) @ _registry(version)
    return jsonschema.Draft202012Validator(schema, registry=registry)


def _file(version: str, name: str) -> str:
    return f"kubernetes-json-schema/v{version}.0-local-strict/{name}.json"


@lru_cache(maxsize=1024)
def _wrong(text: str, version: str) -> tuple[str, ...]:
    made = json.loads(text)
    validator = _validator(made["kind"], made["apiVersion"], version)
    checked = made["spec"] if made["kind"] in _own() else made
    return tuple(f"{error.json_path}: {error.message}" for error in validator.iter_errors(checked))


def mistakes(made: dict[str, Any], version: str = VERSION) -> tuple[str, ...]:
    """What is wrong with an object by the schema of its kind, and beyond it what 1.20 answered with 422."""
    found = _wrong(json.dumps(made, sort_keys=True), version)
    beyond = {"Service": _of_ports, "Deployment": _of_selector, "HTTPRoute": _of_filters}
    if made["kind"] in beyond:
        found = (*found, *beyond[made["kind"]](made["spec"]))
    if len(made["metadata"]["name"]) > 63:
        found = (*found, "metadata.name: Invalid value: must be no more than 63 characters")
    return found


def _of_ports(spec: dict[str, Any]) -> list[str]:
    found = []
    for port in spec["ports"]:
        if "protocol" not in port:
            found.append('spec.ports: associative list with keys has an element that omits key "protocol"')
        if not 1 <= port["port"] <= 65535:
            found.append(f"spec.ports[0].port: Invalid value: {port['port']}: must be between 1 and 65535")
    return found


def _of_selector(spec: dict[str, Any]) -> list[str]:
    labels = spec["template"]["metadata"].get("labels", {})
    if spec["selector"]["matchLabels"].items() <= labels.items():
        return []
    return ["spec.template.metadata.labels: Invalid value: `selector` does not match them"]


def _of_filters(spec: dict[str, Any]) -> list[str]:
    for rule in spec["rules"]:
        kinds = [one["type"] for one in rule.get("filters", ())]
        if len(set(kinds)) != len(kinds):
            return ["spec.rules[0].filters: Invalid value: there is one of a type at most"]
    return []
