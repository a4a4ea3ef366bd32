"""Folders that files arrive in, as whoever delivers the files sees them: on this machine and behind real servers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest

from tests.remote_servers import TEXT, Sshd, Web


class Place(Protocol):
    """The other side, as its owner sees it."""

    address: str

    def write(self, name: str, content: bytes = TEXT, age_s: int = 60) -> None: ...
    def read(self, name: str) -> bytes: ...
    def remove(self, name: str) -> None: ...
    def names(self) -> set[str]:
        """Every file, by its path."""

    def clear(self) -> None: ...


class LocalDirectory:
    """A directory of this machine."""

    def __init__(self, root: Path) -> None:
        self.root, self.address = root, str(root)
        self.root.mkdir()

    def write(self, name: str, content: bytes = TEXT, age_s: int = 60) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        at = 1_790_000_000 - age_s
        os.utime(path, (at, at))

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    def clear(self) -> None:
        for path in self.root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def names(self) -> set[str]:
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}


class Directory(LocalDirectory):
    """A directory that the ssh server serves."""

    def __init__(self, server: Sshd) -> None:
        super().__init__(server.root / uuid4().hex)
        self.address = server.address(self.root)


class Bucket:
    """A bucket of the S3 server."""

    def __init__(self, prefix: str) -> None:
        import s3fs

        self.files = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
        self.bucket = f"bucket-{uuid4().hex}"
        self.files.mkdir(self.bucket)
        self.base = f"{self.bucket}/{prefix}".rstrip("/")
        self.address = f"s3://{self.base}"

    def write(self, name: str, content: bytes = TEXT, age_s: int = 60) -> None:
        self.files.pipe_file(f"{self.base}/{name}", content)

    def read(self, name: str) -> bytes:
        return bytes(self.files.cat_file(f"{self.base}/{name}"))

    def remove(self, name: str) -> None:
        self.files.rm_file(f"{self.base}/{name}")

    def clear(self) -> None:
        for name in self.names():
            self.remove(name)

    def names(self) -> set[str]:
        return {name.removeprefix(f"{self.base}/") for name in self.files.find(self.base)}


class Objects:
    """A bucket of the Google Storage server."""

    def __init__(self, server: Web) -> None:
        server.files = {"/bucket/elsewhere": b""}
        self.server, self.address = server, "gs://bucket/in"

    def write(self, name: str, content: bytes = TEXT, age_s: int = 60) -> None:
        self.server.files[f"/bucket/in/{name}"] = content
        self.server.generations[f"/bucket/in/{name}"] = self.server.generations.get(f"/bucket/in/{name}", 1) + 1

    def read(self, name: str) -> bytes:
        return self.server.files[f"/bucket/in/{name}"]

    def remove(self, name: str) -> None:
        del self.server.files[f"/bucket/in/{name}"]

    def clear(self) -> None:
        self.server.files = {"/bucket/elsewhere": b""}

    def names(self) -> set[str]:
        return {path.removeprefix("/bucket/in/") for path in self.server.files} - {"/bucket/elsewhere"}


def place_of(request: pytest.FixtureRequest) -> Place:
    """The place that a fixture's parameter names; its server is a fixture of `tests.remote_fixtures`."""
    match request.param:
        case "gs":
            return Objects(request.getfixturevalue("gs"))
        case "sftp":
            return Directory(request.getfixturevalue("at_home"))
        case "local":
            return LocalDirectory(request.getfixturevalue("tmp_path") / "arriving")
    request.getfixturevalue("in_aws")
    return Bucket("" if request.param == "s3-root" else "deep/in")
