"""Real servers that files are fetched from, as fixtures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest

from tests.remote_servers import TEXT, Sshd, Web, amazon, google, sshd, web


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def at_home(ssh: Sshd) -> Iterator[Sshd]:
    """A user whom the ssh server lets in."""
    with mock.patch.dict(os.environ, {"HOME": str(ssh.home)}):
        os.environ.pop("SSH_AUTH_SOCK", None)
        yield ssh


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    with amazon() as environ:
        with mock.patch.dict(os.environ, environ):
            import s3fs

            store = s3fs.S3FileSystem(skip_instance_cache=True)
            store.mkdir("inbox")
            store.pipe("inbox/night/customers.csv", TEXT)
        yield environ


@pytest.fixture
def in_aws(s3: dict[str, str]) -> Iterator[None]:
    """A user whom the S3 server lets in."""
    with mock.patch.dict(os.environ, s3):
        yield


@pytest.fixture
def gs() -> Iterator[Web]:
    with google() as running, mock.patch.dict(os.environ, {"STORAGE_EMULATOR_HOST": running.url}):
        running.files["/inbox/night/customers.csv"] = TEXT
        yield running


@pytest.fixture
def site() -> Iterator[Web]:
    with web() as running:
        running.files["/out/customers.csv"] = TEXT
        yield running
