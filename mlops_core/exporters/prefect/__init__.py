"""A pipeline as a flow file that needs Prefect and the command alone, and its entry in prefect.yaml."""

from mlops_core.exporters.prefect.flow_file import PrefectFiles, to_prefect

__all__ = ["PrefectFiles", "to_prefect"]
