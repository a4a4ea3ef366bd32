"""How a file is archived: in a folder of its own, filled under a hidden name and then renamed; the source goes in last.

    <tag>_customers.csv/{customers.csv, results.csv, …}

The tag is the run's id, or the moment where there was no run. Nothing is overwritten. Raises OSError alone.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from importer.core.atomic_files import create_file, put_in_place, sync

PART = ".part"
_TAG = re.compile(r"(\d{8}T\d{6}Z(?:-[0-9a-f]{6})?)_.+")
_LONGEST_NAME_BYTES = 180
"""Of a folder's name, which also holds a tag; most file systems limit a name to 255."""


def folder_name(tag: str, name: str) -> str:
    """The name of the folder of a file."""
    return f"{tag}_{readable(name).encode()[:_LONGEST_NAME_BYTES].decode(errors='ignore')}"


def tag_of(name: str) -> str:
    """The tag of a folder's name; empty when it is not a folder of ours."""
    found = _TAG.fullmatch(name)
    return found[1] if found else ""


def is_half_filled(path: Path) -> bool:
    """Whether a killed program left this folder; what others keep there is never touched."""
    name = path.name
    hidden = name.startswith(".") and name.endswith(PART)
    return hidden and bool(tag_of(name[1 : -len(PART)])) and path.is_dir() and not path.is_symlink()


def readable(name: str) -> str:
    r"""A file's name as text: bytes that are not UTF-8 are written as `\xe9`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def free(path: Path) -> Path:
    """A path that does not exist yet."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}~{number}")
    return found


def fill(to: Path, source: str, files: Iterable[Path], texts: Mapping[str, str]) -> None:
    """Make a folder with everything in it but the source, which is called `source`."""
    part = to.with_name(f".{to.name}{PART}")
    part.mkdir(mode=0o700)
    for file in files:
        beside(file, part / unlike(source, file.name))
    for name, text in texts.items():
        create_file(part / unlike(source, name), text.encode())
    put_in_place(part, to)


def move(path: Path, to: Path) -> None:
    """Rename a file; into another file system by a copy that appears only when complete."""
    try:
        path.rename(to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = to.with_name(f".{to.name}{PART}")
        shutil.copy2(path, partial)
        put_in_place(partial, to)
        path.unlink()
    sync(to.parent)


def unlike(source: str, name: str) -> str:
    """A name that the source does not have: `results.csv` may well be imported again."""
    while name == source:
        name = f"importer-{name}"
    return name


def beside(file: Path, to: Path) -> None:
    """Give a file a second name where the file system can, otherwise copy it."""
    if not file.is_file():
        return
    try:
        os.link(file, to)
    except OSError:
        shutil.copy2(file, to)
