"""Where the files of documents may be, and their bytes: from the folder of documents, or from an allowed address.

What was looked at with the rows is looked at again: files change meanwhile. No sentence names a file or its address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from importer.core.commands import FRAME
from importer.core.contract import Contract, FieldSpec, Kind
from importer.core.errors import ImporterError, ProfileError, TryLaterError
from importer.core.issue_codes.documents import DOCUMENT_CODES
from importer.core.runtime import in_a_thread
from importer.core.step_tasks import UnreadFile
from importer.profile import Profile
from importer.readers import STDIN
from importer.readers.remote.fetching import Fetch, fetch
from importer.runs.documents.addresses import NOT_ALLOWED, AllowedAddresses, file_name, is_address
from importer.runs.documents.folder import MOST_BYTES, DocumentFolder, UnusableDocumentError, check_kind
from importer.runs.leftovers import SPOOL_NAME, private_folder
from importer.runs.wiring.remote_sources import is_remote, store_of

_THE_ADDRESS = "The address of the document"
_CHANGED = UnreadFile("The file is not the one of the plan; it was not sent.", code="document_changed")


@dataclass(frozen=True, slots=True)
class DocumentSources:
    """Where the files of documents may be."""

    folder: DocumentFolder
    addresses: AllowedAddresses

    @classmethod
    def of(cls, profile: Profile, source: str) -> DocumentSources:
        """Take them from the profile.

        Args:
            source: where the customers came from (`RunHeader.path`).

        Raises:
            ProfileError: there is no such folder, or an address cannot be used.
        """
        folder = _beside(source) / profile.documents.folder
        if not folder.is_dir():
            raise ProfileError(
                f"The folder of documents '{folder}' does not exist.",
                "Make it, or correct documents.folder in the profile; a relative one is beside the source.",
            )
        return cls(DocumentFolder(folder), AllowedAddresses.of(profile.documents.addresses))


def files_among(contract: Contract, names: Iterable[str]) -> list[FieldSpec]:
    """The fields among some names that name files."""
    return [spec for name in names if (spec := contract.spec(name)) and spec.kind is Kind.FILE]


def sends_documents(profile: Profile, mapped: Iterable[str]) -> bool:
    """Whether rows name documents, and the profile has them sent.

    Args:
        mapped: the fields that are mapped.
    """
    return profile.after_create.documents and bool(files_among(profile.contract, mapped))


def _beside(source: str) -> Path:
    """The folder that a source is in; of one that is in none, the current one."""
    path = Path(source)
    elsewhere = source == FRAME or is_remote(source) or path.name == STDIN
    return Path.cwd() if elsewhere else path.absolute().parent


@dataclass(frozen=True, slots=True)
class DocumentFiles:
    """Reads the files of documents. Implements `ports.Files`.

    Args:
        spool: the folder for copies of what is fetched.
        silence_s: the longest silence of a server, in seconds.
    """

    sources: DocumentSources
    spool: Path
    silence_s: float

    @classmethod
    def of(cls, profile: Profile, source: str) -> DocumentFiles:
        """Put it together; arguments and errors as of `DocumentSources.of`."""
        return cls(DocumentSources.of(profile, source), profile.workspace / SPOOL_NAME, profile.remote.silence_s)

    async def read(self, name: str, most_bytes: int, sha256: str = "") -> bytes | UnreadFile:
        return await in_a_thread(lambda: self._read(name, min(most_bytes, MOST_BYTES), sha256))

    def _read(self, name: str, most_bytes: int, sha256: str) -> bytes | UnreadFile:
        try:
            content = self._content(name, most_bytes)
        except UnusableDocumentError as error:
            return UnreadFile(f"{DOCUMENT_CODES[error.code].title}.")
        except ImporterError as error:
            return UnreadFile(error.message, later=isinstance(error, TryLaterError))
        return content if sha256 in {"", hashlib.sha256(content).hexdigest()} else _CHANGED

    def _content(self, name: str, most_bytes: int) -> bytes:
        if not is_address(name):
            return self.sources.folder.read(name, most_bytes)
        if not self.sources.addresses.allow(name):
            raise UnusableDocumentError(NOT_ALLOWED)
        content = self._fetched(name, most_bytes)
        check_kind(content, file_name(name))
        return content

    def _fetched(self, address: str, most_bytes: int) -> bytes:
        store, _ = store_of(address)
        what = Fetch(store, _THE_ADDRESS, most_bytes, with_sum_file=False)
        with private_folder(self.spool) as folder:
            copy = folder / "document"
            with (
                store.errors_explained(f"{_THE_ADDRESS} cannot be read"),
                store.opened(address, self.silence_s, self.sources.addresses.allow) as (files, path),
            ):
                fetch(what, files, path, copy, lambda: None)
            return copy.read_bytes()
