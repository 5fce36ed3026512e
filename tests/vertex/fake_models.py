"""The Model Registry of the fake: models, their versions, and the aliases of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]  # it ships no types
from google.cloud.aiplatform_v1 import types

from tests.vertex.checks import check, checked_model

if TYPE_CHECKING:
    from tests.vertex.operations import Operations

__all__ = ["FakeModels"]


class FakeModels:
    """`all` are versions by the model's id; `parent` is how answers name where they are."""

    def __init__(self, parent: str, operations: Operations) -> None:
        self.all: dict[str, list[Any]] = {}
        self._parent, self._operations = parent, operations

    def upload(self, request: Any) -> Any:
        """An UploadModelRequest; a model is made only by an id that is given."""
        checked_model(request)
        if request.parent_model:
            id_ = self.version(request.parent_model).name.rpartition("/")[2]
        else:
            id_ = request.model_id
            check(id_ not in self.all, grpc.StatusCode.ALREADY_EXISTS, f"Model {id_} exists already")
        name = f"{self._parent}/models/{id_}"

        def upload() -> Any:
            made, versions = types.Model(request.model), self.all.setdefault(id_, [])
            made.name, made.version_id = name, str(len(versions) + 1)
            for other in versions:  # an alias is one version's at a time
                other.version_aliases = [
                    one for one in other.version_aliases if one not in made.version_aliases
                ]
            if not versions:
                made.version_aliases.append("default")
            versions.append(made)
            return types.UploadModelResponse(model=name, model_version_id=made.version_id)

        return self._operations.begin(name, types.UploadModelOperationMetadata(), upload)

    def delete(self, name: str) -> Any:
        """With all its versions."""
        found = self.version(name).name

        def delete() -> Any:
            del self.all[found.rpartition("/")[2]]
            return types.DeleteOperationMetadata()

        return self._operations.begin(found, types.DeleteOperationMetadata(), delete)

    def version(self, name: str) -> Any:
        """By `…/models/ID`, whose default it is, `@VERSION` or `@ALIAS`."""
        id_, _, which = name.rpartition("/models/")[2].partition("@")
        which = which or "default"
        found = [one for one in self.all.get(id_, ()) if which in (one.version_id, *one.version_aliases)]
        check(bool(found), grpc.StatusCode.NOT_FOUND, f"The Model {name} does not exist")
        return found[0]
