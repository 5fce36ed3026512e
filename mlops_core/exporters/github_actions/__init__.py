"""A pipeline as a workflow of GitHub Actions: a job a task, receipts as artifacts."""

from mlops_core.exporters.github_actions.workflow import to_github_actions

__all__ = ["to_github_actions"]
