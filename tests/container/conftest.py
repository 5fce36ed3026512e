"""The image, built once, one published release, and a server that speaks S3."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.image.built import Image, built
from benchmarks.image.release import Published, published
from benchmarks.image.rootfs import why_not_here

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """By the Dockerfile's own steps."""
    why_not = why_not_here()
    if why_not is not None:
        pytest.skip(f"the image's steps are not run here: {why_not}")
    return built(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """In a folder on this machine."""
    return published(tmp_path_factory.mktemp("published") / "release")


@pytest.fixture
def s3(release: Published) -> Iterator[dict[str, str]]:
    """The variables of a server that speaks S3 on loopback; the release lies at s3://of-the-image/churn/1."""
    import boto3  # type: ignore[import-untyped] # here, so that other tests do not wait; it has no types
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    variables = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        client = boto3.client(
            "s3",
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",  # noqa: S106 - moto takes any
        )
        client.create_bucket(Bucket="of-the-image")
        for file in filter(Path.is_file, release.folder.rglob("*")):
            name = file.relative_to(release.folder).as_posix()
            client.put_object(Bucket="of-the-image", Key=f"churn/1/{name}", Body=file.read_bytes())
        yield variables
    finally:
        server.stop()
