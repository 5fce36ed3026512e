"""A pipeline as a static DAG file for Airflow, whose tasks are commands."""

from mlops_core.exporters.airflow.dag_file import to_airflow

__all__ = ["to_airflow"]
