"""What travels to Dask workers and back: pickled here, without the workspace's secret, and shown by nobody.

Dask's scheduler passes everything on, and its logs and pages show the arguments of tasks: they see a size.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from platform import python_version_tuple
from typing import Any

from importer.core.distribution import installed_version, version_of

_CHECKING = ("pandas", "pyarrow", "numpy", "pydantic", "pydantic-core", "phonenumbers", "email-validator", "orjson")
Finder = Callable[[], bytes | None]
"""Finds the workspace's secret at a worker, which loads it by its name; None: it is not there."""
_LIBRARIES = ("dask", "distributed", "pycountry", *_CHECKING)
"""What is read, checked and written by these has to be the same everywhere."""


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """Bytes that hold rows, or what checks them."""

    content: bytes

    def __repr__(self) -> str:
        return f"<{len(self.content)} bytes>"


@dataclass(frozen=True, slots=True)
class Peer:
    """What has to be the same at both ends.

    Args:
        versions: name to version, of this program and of what decides how a row is checked.
        key: recognises the workspace's secret, and reveals nothing of it; empty: there is none.
        find: how a worker finds that secret which has none of its own; None: it is not looked for.
        said: why it was not found; empty: it was, or nothing is known.
    """

    versions: tuple[tuple[str, str], ...]
    key: str
    find: Finder | None = field(default=None, compare=False)
    said: str = field(default="", compare=False)

    @classmethod
    def here(cls, secret: bytes | None, find: Finder | None = None, *, said: str = "") -> Peer:
        """This process."""
        return cls(_versions(), _recognised(secret) if secret else "", find, said)


def _recognised(secret: bytes) -> str:
    return blake2b(b"importer.engines.dask", key=secret, digest_size=16).hexdigest()


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = {"importer": installed_version(), "Python": ".".join(python_version_tuple()[:2])}
    found.update({name: version_of(name) or "none" for name in _LIBRARIES})
    return tuple(found.items())


class _Pickler(pickle.Pickler):
    """Leaves a mark where the secret is."""

    def __init__(self, file: io.BytesIO, secret: bytes) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._secret = secret

    def persistent_id(self, obj: Any) -> str | None:
        return "secret" if type(obj) is bytes and obj == self._secret else None


class _Unpickler(pickle.Unpickler):
    """Puts the worker's own secret where the mark is."""

    def __init__(self, file: io.BytesIO, secret: bytes) -> None:
        super().__init__(file)
        self._secret = secret

    def persistent_load(self, pid: Any) -> bytes:  # noqa: ARG002  # there is one mark only
        return self._secret


def sealed(value: object, secret: bytes | None = None) -> Sealed:
    """Pickle something.

    Args:
        secret: is left out of it; None: there is none in it.
    """
    if secret is None:
        return Sealed(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
    file = io.BytesIO()
    _Pickler(file, secret).dump(value)
    return Sealed(file.getvalue())


def opened(value: Sealed, secret: bytes | None = None) -> Any:
    """Make it again, with the secret of this process."""
    if secret is None:
        return pickle.loads(value.content)  # noqa: S301  # of the program that has this very key, by way of its scheduler
    return _Unpickler(io.BytesIO(value.content), secret).load()
