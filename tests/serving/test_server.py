"""Starting the server: where it listens, and what it says when it cannot."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from mlops_core.errors import BadInput
from mlops_core.serving.app import create_app
from mlops_core.serving.server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.serving.follower import ReleaseFollower


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_a_port_that_is_taken_is_named_with_the_option(follower: ReleaseFollower, taken: int) -> None:
    """One line, before anything is started."""
    with pytest.raises(BadInput, match=rf"port {taken} on 127\.0\.0\.1 is taken .* --port"):
        serve(create_app(follower=follower), port=taken)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_does_not_exist_is_refused(follower: ReleaseFollower, port: int) -> None:
    """With the range that does."""
    with pytest.raises(BadInput, match=r"--port must be 0 .* to 65535"):
        serve(create_app(follower=follower), port=port)


@pytest.mark.parametrize("host", ["192.0.2.1", "not a host"])
def test_a_host_that_is_not_this_machine_is_refused(follower: ReleaseFollower, host: str) -> None:
    """192.0.2.1 is nobody's (RFC 5737)."""
    with pytest.raises(BadInput, match="--host"):
        serve(create_app(follower=follower), host=host, port=0)
