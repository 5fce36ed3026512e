"""Kubernetes: a Deployment for each release, and a Service that leads callers to one of them."""

from mlops_core.adapters.kubernetes.platform import KubernetesPlatform
from mlops_core.adapters.kubernetes.workload import workload_of

__all__ = ["KubernetesPlatform", "workload_of"]
