"""A `PipelineDAG`, a use case's features or a version's descent, for other tools: pure functions."""

from mlops_core.exporters.airflow import to_airflow
from mlops_core.exporters.document import adopted, consent_of, dag_of, document_of
from mlops_core.exporters.feast import FeastRepository, to_feast
from mlops_core.exporters.form import form_of
from mlops_core.exporters.github_actions import to_github_actions
from mlops_core.exporters.mermaid import to_mermaid
from mlops_core.exporters.openlineage import to_openlineage
from mlops_core.exporters.prefect import PrefectFiles, to_prefect
from mlops_core.exporters.text import from_text, to_json, to_yaml

__all__ = [
    "FeastRepository",
    "PrefectFiles",
    "adopted",
    "consent_of",
    "dag_of",
    "document_of",
    "form_of",
    "from_text",
    "to_airflow",
    "to_feast",
    "to_github_actions",
    "to_json",
    "to_mermaid",
    "to_openlineage",
    "to_prefect",
    "to_yaml",
]
