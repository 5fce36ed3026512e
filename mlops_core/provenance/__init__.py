"""What code, which libraries and which commit a result came from."""

from mlops_core.provenance.closure import SourceTree
from mlops_core.provenance.code import STAGES, Code, changed
from mlops_core.provenance.environment import git_commit, libraries, python_version

__all__ = [
    "STAGES",
    "Code",
    "SourceTree",
    "changed",
    "git_commit",
    "libraries",
    "python_version",
]
