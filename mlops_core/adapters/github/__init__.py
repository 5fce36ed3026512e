"""A repository on GitHub, whose workflows deliver: its REST API, version 2022-11-28."""

from mlops_core.adapters.github.deployer import GitHubDeployer

__all__ = ["GitHubDeployer"]
