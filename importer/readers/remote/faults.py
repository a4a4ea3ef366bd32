"""What the faults of stores mean: which of them a person has to fix, and which pass by themselves.

Libraries wrap faults in faults, so the whole chain is looked at, by the names of its classes: they load only
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
"""Answers to a request that will be answered like that tomorrow as well."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong at a store.

    Args:
        kind: what it is to whoever called.
        reason: half a sentence.
        fix: a sentence.
    """

    kind: type[ImporterError]
    reason: str
    fix: str

    def error(self, what: str) -> ImporterError:
        """The error to raise; `what` begins its sentence."""
        return self.kind(f"{what}: {self.reason}.", self.fix)


def why(fault: BaseException, access: str) -> Trouble:
    """What a fault means and how to fix it, without a word of its own text.

    Args:
        access: how to fix refused credentials, as a sentence.
    """
    links = list(_chain(fault))
    names = {cls.__name__ for link in links for cls in type(link).__mro__}
    statuses = {getattr(link, "status", None) for link in links} - {None}
    distrusted = _distrusted(names)
    if distrusted is not None:
        return distrusted
    if names & _REFUSED or statuses & {401, 403} or any(_says_forbidden(link) for link in links):
        return Trouble(AccessError, "access was refused", access)
    if names & _FULL or any(getattr(link, "errno", None) in {errno.ENOSPC, errno.EDQUOT} for link in links):
        return Trouble(StorageError, "there is no space left", "Free some space.")
    if "FileNotFoundError" in names and not statuses - {404, 410} and not names & _UNREACHED:
        return Trouble(SourceError, "there is no such file", "Check the address.")
    kind = SourceError if statuses & _OURS_TO_CHANGE else UnreachableError
    reason = f"the other side cannot be reached, or broke off ({type(links[-1]).__name__})"
    return Trouble(kind, reason, "Check the address and the network; try again.")


def _distrusted(names: set[str]) -> Trouble | None:
    """Somebody else may have answered: nothing that passes by itself."""
    if "HostKeyNotVerifiable" in names:
        return Trouble(
            SourceError,
            "the server's host key is not the one that is known",
            "Compare its fingerprint with its owner, and put the key into ~/.ssh/known_hosts.",
        )
    if "SSLCertVerificationError" in names:
        fix = "Let its owner renew it, or name the right authority in SSL_CERT_FILE."
        return Trouble(SourceError, "its certificate is not trusted", fix)
    if "InvalidUrlRedirectClientError" in names:
        return Trouble(SourceError, "it leads on to an address that is not safe", "Ask its owner for the right one.")
    return None


def _says_forbidden(link: BaseException) -> bool:
    """In one library refusals differ by their text alone."""
    return isinstance(link, OSError) and str(link).startswith("Forbidden")


def _chain(fault: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = fault
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
