"""The content of documents is bound under a plan: what a row brings has the hash of each file beside its name.

So it is a part of the body that people approve, is kept with the row, and is compared when the file is sent. What is at
an address is not fetched before it is sent: it has no hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from importer.core.record_json import record_json
from importer.core.step_tasks import FILE_SHA256
from importer.profile import Profile
from importer.runs.documents.addresses import is_address
from importer.runs.documents.folder import MOST_BYTES, UnusableDocumentError
from importer.runs.documents.sources import DocumentSources, files_among, sends_documents


@dataclass(frozen=True, slots=True)
class Binding:
    """Binds the documents of rows.

    Args:
        files: where what a row brings has the names of its files: `documents`, `passport`, `file`.
    """

    sources: DocumentSources
    files: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, profile: Profile, mapped: Collection[str], source: str) -> Self | None:
        """Put it together; None: no documents are sent.

        Args:
            mapped: the fields that are mapped.
            source: where the customers came from (`RunHeader.path`).

        Raises:
            ProfileError: as of `DocumentSources.of`.
        """
        if not sends_documents(profile, mapped):
            return None
        files = tuple(tuple(spec.name.split(".")) for spec in files_among(profile.contract, mapped))
        return cls(DocumentSources.of(profile, source), files)

    def bound(self, after: bytes) -> bytes:
        """Write the hash of every file as it is now; of a file that cannot be read one that no file has.

        Args:
            after: what a row brings for after its create, UTF-8 JSON; empty: nothing.
        """
        brought = json.loads(after or b"{}")
        found = list(self._documents(brought))
        for document, name in found:
            document.pop(FILE_SHA256, None)
            if not is_address(document[name]):
                document[FILE_SHA256] = self._hash(document[name])
        return record_json(brought) if found else after

    def contents(self, afters: Iterable[bytes]) -> Iterator[str]:
        """The hash of every file that rows name, as it was bound; of one at an address an empty text."""
        for after in afters:
            yield from (document.get(FILE_SHA256, "") for document, _ in self._documents(json.loads(after or b"{}")))

    def _documents(self, brought: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
        """Every document that has a file, and the name of the member that names it."""
        for *path, name in self.files:
            document: Any = brought
            for part in path:
                document = document.get(part) if isinstance(document, dict) else None
            if isinstance(document, dict) and document.get(name):
                yield document, name

    def _hash(self, name: str) -> str:
        try:
            content = self.sources.folder.read(name, MOST_BYTES)
        except UnusableDocumentError:  # it was examined with its row, and is gone since
            content = b""
        return hashlib.sha256(content).hexdigest()
