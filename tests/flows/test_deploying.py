"""The step of `prefect deploy`; tests/live/test_prefect_deployments.py sees it at work on a server."""

from __future__ import annotations

import pytest

from flows.deploying import prepare
from mlops_core.errors import NotFound


def test_where_there_is_no_file_it_says_where_to_be() -> None:
    with pytest.raises(NotFound, match=r"there is no file nowhere\.yaml: run this in the project's folder"):
        prepare("nowhere.yaml")
