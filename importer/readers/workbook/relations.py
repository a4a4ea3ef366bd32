"""How the parts of an Excel container find each other. Reads the small relation files, nothing else."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from zipfile import ZipFile

from importer.errors import SourceError
from importer.readers.workbook.package import RELATION_NAMESPACES, find_part, walk


@dataclass(frozen=True, slots=True)
class Relations:
    """What one part refers to.

    Args:
        part: the part itself.
        targets: key to the kind of relation and the name of the part it leads to.
    """

    part: str
    targets: Mapping[str, tuple[str, str]]

    def of_kind(self, ending: str) -> str:
        """Return the part at the end of the first relation of a kind; "" when there is none."""
        return next((part for kind, part in self.targets.values() if kind.endswith(ending)), "")


def read_relations(archive: ZipFile, part: str, name: str) -> Relations:
    """Read what a part refers to; the container as a whole for the part "".

    Args:
        name: the source's name for people.
    """
    folder, file = posixpath.split(part)
    found: dict[str, tuple[str, str]] = {}

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "Relationship":
            target = find_part(archive, _resolved(folder, attributes.get("Target", "")))
            found[attributes.get("Id", "")] = (attributes.get("Type", ""), target)

    relations = find_part(archive, posixpath.join(folder, "_rels", f"{file}.rels"))
    if relations:
        walk(archive, relations, start, name, RELATION_NAMESPACES)
    return Relations(part, found)


def workbook_relations(archive: ZipFile, usual: str, name: str) -> Relations:
    """Find the workbook's own part and read what it refers to.

    Args:
        usual: where it is in nearly all files.
        name: the source's name for people.

    Raises:
        SourceError: there is none.
    """
    part = read_relations(archive, "", name).of_kind("/officeDocument") or find_part(archive, usual)
    if not part:
        raise SourceError(f"'{name}' has no workbook in it: it is damaged.", "Open it in Excel and save it again.")
    return read_relations(archive, part, name)


def _resolved(folder: str, target: str) -> str:
    return target if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
