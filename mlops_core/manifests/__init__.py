"""A release as objects of Kubernetes: pure functions from values to plain dicts, and those to text."""

from mlops_core.manifests.argo import argo_objects
from mlops_core.manifests.kserve import kserve_objects
from mlops_core.manifests.network import model_service, route
from mlops_core.manifests.release import model_objects, release_objects
from mlops_core.manifests.text import to_files
from mlops_core.manifests.workload import PORT, Workload, places_of

__all__ = [
    "PORT",
    "Workload",
    "argo_objects",
    "kserve_objects",
    "model_objects",
    "model_service",
    "places_of",
    "release_objects",
    "route",
    "to_files",
]
