"""A disk of a few kilobytes that really gets full: a tmpfs in a mount namespace that one process holds open.

It needs Linux, and either root or user namespaces that anybody may make. Where it cannot be had its test says so and
is skipped; where `CI` is set it fails instead.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.components import needed
from tests.acceptance.conftest import IMPORTER, Ran, User, ended

_FILLER = ".filler"
_BLOCK = 4_096
_HOLD = 'mount -t tmpfs -o size="$1",mode=700 tmpfs "$2" && echo mounted && exec sleep 300'


@dataclass(frozen=True)
class SmallDisk:
    """A full disk in waiting.

    Args:
        at: where it is mounted, as commands see it.
        holder: the process that keeps it.
    """

    at: Path
    holder: int
    user: User

    @property
    def content(self) -> Path:
        """What is on it, as the test sees it."""
        return Path(f"/proc/{self.holder}/root{self.at}")

    def fill(self, *, leave: int = 0) -> None:
        """Write until the system says that there is no space, or until so many bytes are left."""
        filler = os.open(self.content / _FILLER, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            while self.free() > leave:
                os.write(filler, bytes(_BLOCK))
        except OSError as error:
            assert "No space left" in str(error), error  # noqa: PT017  # another error is none that we made
        finally:
            os.close(filler)

    def free(self) -> int:
        """How many bytes are left."""
        found = os.statvfs(self.content)
        return found.f_bavail * found.f_frsize

    def clear(self) -> None:
        """Fix it: free what the test had filled."""
        (self.content / _FILLER).unlink(missing_ok=True)

    def freeze(self) -> None:
        """Make it read-only."""
        mount = [*_entering(self.holder), needed("mount"), "-o", "remount,ro", str(self.at)]
        subprocess.run(mount, check=True, capture_output=True)

    def starts(self, *arguments: str | Path, **environ: str) -> subprocess.Popen[str]:
        """Start a command that has this disk, in the user's folder."""
        return subprocess.Popen(
            [*_entering(self.holder), "sh", "-c", 'cd "$0" && exec "$@"', str(self.user.home), *IMPORTER]
            + [str(argument) for argument in arguments],
            env={**self.user.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def types(self, *arguments: str | Path, **environ: str) -> Ran:
        """Run a command to its end."""
        return ended(self.starts(*arguments, **environ))


@contextmanager
def small_disk(user: User, size: int, *, name: str = "disk") -> Iterator[SmallDisk]:
    """A disk of so many bytes for a block, in a user's folder."""
    at = user.home / name
    at.mkdir()
    command = [needed("unshare"), *_leaving(), "sh", "-c", _HOLD, "sh", str(size), str(at)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            if holder.stdout.readline() != "mounted\n":
                _without(holder.communicate(timeout=10)[1].strip())
            yield SmallDisk(at, holder.pid, user)
        finally:
            holder.kill()


def _is_root() -> bool:
    return os.geteuid() == 0


def _leaving() -> list[str]:
    return ["--mount"] if _is_root() else ["--mount", "--user", "--map-root-user"]


def _entering(holder: int) -> list[str]:
    user = [] if _is_root() else ["--user", "--preserve-credentials"]
    return [needed("nsenter"), f"--target={holder}", "--mount", *user]


def _without(why: str) -> None:
    said = f"no small disk can be mounted here ({why})"
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)
