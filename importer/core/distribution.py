"""What this program is called where packages are installed: its distribution, its version, its optional groups.

The command and the import are `importer`. The distribution is not: that name belongs to a stranger on PyPI, so no
message may suggest to install it.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "rocketkor-importer"


def installed_version() -> str:
    """Give the version that is installed; `unknown` in a checkout that was never installed."""
    return version_of(DISTRIBUTION) or "unknown"


@cache
def version_of(distribution: str) -> str | None:
    """Give the version of a library that is installed; None: it is not, or was put into place without its metadata.

    A process keeps the libraries that it began with, and each answer is a file that is parsed.
    """
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def how_to_install(group: str) -> str:
    """Give the sentence that says how an optional group is added.

    Args:
        group: a name of `[project.optional-dependencies]`, for example `sftp`.
    """
    return f"""Install it from the folder of this program's source: pip install ".[{group}]"."""
