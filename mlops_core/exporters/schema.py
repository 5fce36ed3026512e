"""The JSON Schema of pipelines as files: `python -m mlops_core.exporters.schema > pipeline.schema.json`."""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from mlops_core.domain.pipeline import PipelineDocument

__all__ = ["pipeline_schema"]

_ID = "urn:mlops-core:docs/pipeline.schema.json"


def pipeline_schema() -> dict[str, Any]:
    """What `from_text` takes, in JSON Schema, draft 2020-12, but for what no schema can say: that a cron
    expression, a time zone and a time span can be meant, and that tasks are those of the use case.
    """
    made = PipelineDocument.model_json_schema(schema_generator=_Untitled)
    made["properties"] = {"$schema": {"type": "string", "description": "For editors."}, **made["properties"]}
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": _ID, "title": "A pipeline of mlops"}
    return head | {name: value for name, value in made.items() if name != "title"}


class _Untitled(GenerateJsonSchema):
    """Without a title for each field, which would only repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic asks so
        return False


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(pipeline_schema(), indent=2, ensure_ascii=False)}\n")
