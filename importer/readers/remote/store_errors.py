"""What the errors of stores mean: which of them a person has to fix, and which pass by themselves.

Libraries wrap errors in errors, so the whole chain is examined, by the names of its classes: they load only
with the library. Their texts quote addresses and are never passed on.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass

from importer.core.errors import AccessError, ImporterError, SourceError, StorageError, UnreachableError

_REFUSED = {
    "PermissionError", "PermissionDenied", "NoCredentialsError", "PartialCredentialsError", "GoogleAuthError",
    "SFTPPermissionDenied", "KeyImportError", "KeyEncryptionError",
}  # fmt: skip
_UNREACHED = {
    "ClientConnectionError", "EndpointConnectionError", "ConnectionError", "TimeoutError", "gaierror", "ConnectionLost",
}  # fmt: skip
_FULL = {"SFTPNoSpaceOnFilesystem", "SFTPQuotaExceeded"}
_OURS_TO_CHANGE = {400, 405, 414, 416}
"""Statuses of requests that will be answered like that tomorrow as well."""


@dataclass(frozen=True, slots=True)
class StoreError:
    """What went wrong at a store.

    Args:
        kind: the class of the error to raise.
        reason: half a sentence.
        fix: a sentence.
    """

    kind: type[ImporterError]
    reason: str
    fix: str

    def error(self, what: str) -> ImporterError:
        """The error to raise; `what` begins its sentence."""
        return self.kind(f"{what}: {self.reason}.", self.fix)


def explained(error: BaseException, access: str) -> StoreError:
    """What an error of a library means and how to fix it, without a word of its own text.

    Args:
        access: how to fix refused credentials, as a sentence.
    """
    links = list(_chain(error))
    names = {cls.__name__ for link in links for cls in type(link).__mro__}
    statuses = {getattr(link, "status", None) for link in links} - {None}
    distrusted = _distrusted(names)
    if distrusted is not None:
        return distrusted
    if names & _REFUSED or statuses & {401, 403} or any(_says_forbidden(link) for link in links):
        return StoreError(AccessError, "access was refused", access)
    if names & _FULL or any(getattr(link, "errno", None) in {errno.ENOSPC, errno.EDQUOT} for link in links):
        return StoreError(StorageError, "there is no space left", "Free some space.")
    if "FileNotFoundError" in names and not statuses - {404, 410} and not names & _UNREACHED:
        return StoreError(SourceError, "there is no such file", "Check the address.")
    kind = SourceError if statuses & _OURS_TO_CHANGE else UnreachableError
    reason = f"its server cannot be reached, or broke off ({type(links[-1]).__name__})"
    return StoreError(kind, reason, "Check the address and the network; try again.")


def _distrusted(names: set[str]) -> StoreError | None:
    """Somebody else may have answered: an error that does not pass by itself."""
    if "HostKeyNotVerifiable" in names:
        return StoreError(
            SourceError,
            "the server's host key is not the one that is known",
            "Compare its fingerprint with its owner, and put the key into ~/.ssh/known_hosts.",
        )
    if "SSLCertVerificationError" in names:
        fix = "Let its owner renew it, or name the right authority in SSL_CERT_FILE."
        return StoreError(SourceError, "its certificate is not trusted", fix)
    if "InvalidUrlRedirectClientError" in names:
        return StoreError(SourceError, "it leads on to an address that is not safe", "Ask its owner for the right one.")
    return None


def _says_forbidden(link: BaseException) -> bool:
    """One library reports a refusal by its text alone."""
    return isinstance(link, OSError) and str(link).startswith("Forbidden")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
