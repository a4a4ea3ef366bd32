"""The private keys of people who sign plans: one file a person, for its owner alone, locked by a passphrase or not."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from importer.approval.signatures import Signer, ed25519
from importer.core.atomic_files import create_file
from importer.core.commands import Commands
from importer.core.errors import AccessError, StorageError, UsageError
from importer.profile.credentials import secret_of

KEYS_VARIABLE = "IMPORTER_KEYS"
PASSPHRASE_VARIABLE = "IMPORTER_KEY_PASSPHRASE"  # noqa: S105  # a name
"""Or the same with `_FILE`; where neither is set, a person is asked."""
_SUFFIX = ".key"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LOCKED = b"ENCRYPTED PRIVATE KEY"
_MOST_BYTES = 64 * 1024
_MOST_OF_PASSPHRASE = 1_023


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key on the disk, PKCS#8 in PEM.

    Args:
        name: the person, as the policy calls them.
    """

    name: str
    path: Path

    @property
    def is_locked(self) -> bool:
        """Whether it needs a passphrase; errors as of `unlock`."""
        return _LOCKED in self._content()

    def unlock(self, passphrase: str = "") -> Signer:
        """Have the key at hand.

        Args:
            passphrase: empty: it has none.

        Raises:
            AccessError: the file cannot be read, others may read it, or the passphrase is wrong.
            UsageError: it is not a key, or the library is not installed.
        """
        library = ed25519()
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

        content = self._content()
        if _LOCKED not in content:
            passphrase = ""
        elif not passphrase:
            raise AccessError(
                f"The key '{self.path}' is locked, and there is no terminal to ask for its passphrase on.",
                f"Set {PASSPHRASE_VARIABLE} or {PASSPHRASE_VARIABLE}_FILE.",
            )
        try:
            private = load_pem_private_key(content, passphrase.encode(errors="surrogateescape") or None)
        except (ValueError, TypeError):
            if passphrase:
                raise AccessError(f"The passphrase of the key '{self.path}' is wrong.", "Try again.") from None
            private = None
        if not isinstance(private, library.Ed25519PrivateKey):
            raise UsageError(
                f"The file '{self.path}' holds no Ed25519 key.", f"Make one: {Commands().new_key()}"
            ) from None
        return Signer(self.name, private)

    def _content(self) -> bytes:
        try:
            mode = self.path.stat().st_mode
            if stat.S_ISREG(mode) and mode & 0o077:
                raise AccessError(
                    f"The key '{self.path}' may be read by others; it is not used.", f"Run: chmod 600 '{self.path}'"
                )
            with self.path.open("rb") as stream:
                return stream.read(_MOST_BYTES)
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            raise AccessError(
                f"The key '{self.path}' cannot be read: {reason}.", "Name another one with --key."
            ) from None


def key_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the keys of whoever runs this."""
    if chosen := environ.get(KEYS_VARIABLE, "").strip():
        return Path(chosen)
    settings = environ.get("XDG_CONFIG_HOME", "").strip()
    return (Path(settings) if settings else Path.home() / ".config") / "importer" / "keys"


def given_passphrase(environ: Mapping[str, str] = os.environ) -> str:
    """The passphrase that the environment gives; empty: none.

    Raises:
        UsageError: it is given twice, or its file cannot be read.
    """
    found = secret_of(PASSPHRASE_VARIABLE, environ)
    return found.get_secret_value() if found else ""


def new_key(folder: Path, name: str, passphrase: str = "") -> KeyFile:
    """Make a key; an earlier one of that name is never replaced.

    Args:
        name: the person, as the policy shall call them.
        passphrase: empty: whoever can read the file can sign.

    Raises:
        UsageError: name or passphrase cannot be used, or there is such a key.
        StorageError: the file cannot be written.
    """
    secret = _usable(passphrase)
    library, path = ed25519(), folder / f"{_checked(name)}{_SUFFIX}"
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    locked = serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()
    content = library.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
    )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_file(path, content)
    except FileExistsError:
        raise UsageError(f"There is a key '{path}' already; it is not replaced.", "Choose another name.") from None
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise StorageError(f"The key '{path}' cannot be written: {reason}.", "Choose another folder.") from None
    return KeyFile(name, path)


def keys_in(folder: Path) -> list[KeyFile]:
    """The keys of a folder, by name."""
    found = folder.glob(f"*{_SUFFIX}") if folder.is_dir() else ()
    return [KeyFile(path.stem, path) for path in sorted(found)]


def chosen_key(chosen: str, folder: Path) -> KeyFile | None:
    """Find the key that signs.

    Args:
        chosen: a name, or the path of a file; empty: the only one of the folder.

    Returns:
        None: none is chosen, and the folder holds none.

    Raises:
        UsageError: there is no such key, or several and none is chosen.
    """
    if chosen:
        return key_of(chosen, folder)
    known = keys_in(folder)
    if len(known) > 1:
        names = ", ".join(one.name for one in known)
        raise UsageError(f"There are several keys in {folder}: {names}.", "Choose one with --key NAME.")
    return known[0] if known else None


def key_of(name: str, folder: Path) -> KeyFile:
    """Find the key of somebody.

    Args:
        name: theirs, or the path of the file.

    Raises:
        UsageError: there is no such key.
    """
    is_path = os.sep in name or name.endswith(_SUFFIX)
    path = Path(name) if is_path else folder / f"{_checked(name)}{_SUFFIX}"
    if not path.is_file():
        others = "" if is_path else ", ".join(one.name for one in keys_in(folder))
        here = f"That folder has {others}. " if others else ""
        raise UsageError(f"There is no key '{path}'.", f"{here}`{Commands().new_key()}` makes one.")
    return KeyFile(_checked(path.stem), path)


def _usable(passphrase: str) -> bytes:
    secret = passphrase.encode(errors="surrogateescape")
    if len(secret) > _MOST_OF_PASSPHRASE:
        raise UsageError(f"The passphrase is longer than {_MOST_OF_PASSPHRASE:,} bytes.", "Choose a shorter one.")
    return secret


def _checked(name: str) -> str:
    if NAME.fullmatch(name) is None:
        raise UsageError(
            f"'{name}' cannot be the name of a key.",
            "Use letters, digits, '-' and '_', at most 64 of them, a letter or a digit first.",
        )
    return name
