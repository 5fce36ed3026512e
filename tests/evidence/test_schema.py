"""The published schema of evidence.json: up to date, valid, and met by what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped] # it has no types

from mlops_core.domain.evidence import Evidence, evidence_schema
from tests.evidence.packs import ASKING, CONSENT, decision, pack

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

FILE = Path(__file__).parents[2] / "docs" / "schemas" / "evidence.schema.json"
AGAIN = "python -m tests.evidence.test_schema writes it again; another format needs another number"


def written() -> str:
    """The file as it should be."""
    return json.dumps(evidence_schema(), indent=1) + "\n"


@pytest.fixture(scope="module")
def published() -> Draft202012Validator:
    """What somebody else would check a document with."""
    schema: dict[str, Any] = json.loads(FILE.read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_published_schema_is_up_to_date() -> None:
    assert FILE.read_text() == written(), AGAIN


def test_the_schema_says_what_it_is(published: Draft202012Validator) -> None:
    assert published.schema["$id"] == "urn:mlops-core:evidence:1"
    assert published.schema["description"]


@pytest.mark.parametrize(
    "evidence",
    [
        pack(),
        pack(decision=None, rows=None, positives=None, metrics={}, validation={}),
        pack(decision=decision("drift", policy=ASKING), waived=("drift",), approval=CONSENT),
    ],
    ids=["passed", "adopted", "waived and approved"],
)
def test_evidence_meets_the_schema(published: Draft202012Validator, evidence: Evidence) -> None:
    content = evidence.model_dump_json(indent=1)
    published.validate(json.loads(content))
    assert Evidence.model_validate_json(content) == evidence


@pytest.mark.live
def test_the_evidence_of_a_release_meets_the_schema(site: Terminal, published: Draft202012Validator) -> None:
    for version in ("churn@1", "churn@2"):
        published.validate(json.loads(site("evidence", version, "--json").out))


@pytest.mark.parametrize("change", [{"format": 2}, {"surprise": 1}, {"version": 0}, {"metrics": None}])
def test_what_is_no_evidence_does_not(published: Draft202012Validator, change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        published.validate(json.loads(pack().model_dump_json()) | change)


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(written())
