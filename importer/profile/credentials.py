"""The credentials of a target, from the environment or from files it names. Never logged, shown or kept elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from importer.core.errors import UsageError
from importer.core.target_kinds import TargetKind

_MAX_FILE_BYTES = 64 * 1024


def credentials(kind: TargetKind, environ: Mapping[str, str]) -> dict[str, SecretStr]:
    """Find the credentials that a kind of target asks for: its variables, or the same names with `_FILE`.

    Returns:
        To the name of each credential its secret.

    Raises:
        UsageError: one is missing or given twice, or its file cannot be read or is empty.
    """
    names = [one.variable for one in kind.credentials]
    missing = [name for name in names if not environ.get(name) and not environ.get(f"{name}_FILE")]
    if missing:
        raise UsageError(
            f"There are no credentials: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set.",
            f"Set {kind.variables}, or {kind.variables_of_files} to files that hold them.",
        )
    return {one.name: _secret(one.variable, environ) for one in kind.credentials}


def secret_of(name: str, environ: Mapping[str, str]) -> SecretStr | None:
    """Read one secret from the variable of that name, or from the file that the same name with `_FILE` names.

    Returns:
        None where neither is set.

    Raises:
        UsageError: both are set, or the file cannot be read or is empty.
    """
    return _secret(name, environ) if environ.get(name) or environ.get(f"{name}_FILE") else None


def _secret(name: str, environ: Mapping[str, str]) -> SecretStr:
    direct, path = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if direct and path:
        raise UsageError(f"{name} and {name}_FILE are both set.", "Keep one of them.")
    text = (direct or _content(name, Path(path))).strip()
    if not text:
        raise UsageError(f"{name} holds nothing but blanks." if direct else f"The file of {name}_FILE is empty.")
    if not text.isprintable() or not text.isascii():
        raise UsageError(f"{name} holds characters that no key has.", "Copy the key again, without line breaks.")
    return SecretStr(text)


def _content(name: str, path: Path) -> str:
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "no reason given"
        raise UsageError(f"The file '{path}' of {name}_FILE cannot be read: {reason}.") from None
    if len(content) > _MAX_FILE_BYTES:
        raise UsageError(f"The file '{path}' of {name}_FILE is too long to hold a key.")
    return content.decode("utf-8-sig", errors="replace")
