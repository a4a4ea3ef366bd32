"""Files of documents are looked at with their rows, so that a row without its file is invalid before anything is sent.

Addresses are only compared with those that are allowed; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from importer.core.batches import CheckedBatch, MappedBatch
from importer.core.contract import Contract
from importer.core.contract.text import clean
from importer.core.issue_codes.documents import DOCUMENT_CODES
from importer.core.issues import Issue, IssueCollector
from importer.core.labels import nearest, quotable
from importer.core.ports import Validator
from importer.profile import Profile
from importer.runs.documents.addresses import NOT_ALLOWED, is_address
from importer.runs.documents.binding import Binding
from importer.runs.documents.folder import NOT_FOUND, UnusableDocumentError
from importer.runs.documents.sources import DocumentSources, files_among

_Value = TypeVar("_Value")
_MOST_HINTS = 20
"""Names that a similar one is looked for in one batch: a search costs a hundred times as much as a look at a file."""


@dataclass(frozen=True, slots=True)
class DocumentValidator:
    """Checks rows as another validator does, and their documents beside. Implements `ports.Validator`.

    Args:
        sources: where files may be.
        binding: binds the files of valid rows to their content; None: they are sent as they are then.
    """

    contract: Contract
    validator: Validator
    sources: DocumentSources
    binding: Binding | None = None

    def check(self, batch: MappedBatch) -> CheckedBatch:
        checked = self.validator.check(batch)
        found = list(self._issues(batch))
        checked = _refused(checked, found) if found else checked
        if self.binding is None or not checked.after:
            return checked
        return replace(checked, after=[one and self.binding.bound(one) for one in checked.after])

    def _issues(self, batch: MappedBatch) -> Iterator[Issue]:
        """One for each file that cannot be sent, in the order of the fields."""
        hints = iter(range(_MOST_HINTS))
        for spec in files_among(self.contract, batch.frame.columns):
            for place, text in enumerate(batch.texts(spec.name)):
                if code := self._flaw(file := clean(text).value):
                    hint = self._hint(file) if code == NOT_FOUND and next(hints, None) is not None else ""
                    message = DOCUMENT_CODES[code].sentence(spec) + hint
                    yield Issue(batch.raw.first + place, code, message, spec.name, batch.columns.get(spec.name, ""))

    def _flaw(self, file: str) -> str:
        if not file:
            return ""
        if is_address(file):
            return "" if self.sources.addresses.allow(file) else NOT_ALLOWED
        try:
            self.sources.folder.examine(file)
        except UnusableDocumentError as error:
            return error.code
        return ""

    def _hint(self, file: str) -> str:
        close = nearest(file, quotable(self.sources.folder.names_beside(file)))
        return f" Did you mean '{close}'?" if close else ""


def with_documents(
    profile: Profile, validator: Validator, mapped: Collection[str], source: str, *, binds: bool = False
) -> Validator:
    """A validator that looks at documents, too, where columns name them and the profile sends them.

    Args:
        mapped: the fields that are mapped.
        source: where the customers came from (`RunHeader.path`).
        binds: the files of valid rows are bound to their content, for a plan.

    Raises:
        ProfileError: as `DocumentSources.of`.
    """
    binding = Binding.of(profile, mapped, source)
    if binding is None:
        return validator
    return DocumentValidator(profile.contract, validator, binding.sources, binding if binds else None)


def _refused(checked: CheckedBatch, found: list[Issue]) -> CheckedBatch:
    """Make the rows of some issues invalid."""
    issues = IssueCollector()
    issues.extend(checked.issues)
    issues.extend(found)
    places = {issue.ordinal - checked.raw.first for issue in found}
    ready = checked.idv_ready
    return replace(
        checked,
        payloads=_without(checked.payloads, places, gone=None),
        keys=_without(checked.keys, places, gone=None),
        issues=issues.log(),
        idv_ready=None if ready is None else _without(ready, places, gone=False),
        after=_without(checked.after, places, gone=None),
    )


def _without(values: Sequence[_Value], places: Collection[int], *, gone: _Value) -> Sequence[_Value]:
    return [gone if place in places else value for place, value in enumerate(values)]
