"""How rows are matched with customers of earlier runs and with each other, and the issues of those that match."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from importer.core.contract import Contract, Identity
from importer.core.issues import Issue, Severity


def compared_kinds(identity: Identity) -> Mapping[str, str]:
    """The kinds of likeness that are compared with earlier runs, and what they are called in a sentence."""
    return {kind: one.words for kind, one in identity.likenesses.items() if one.words}


class Match(NamedTuple):
    """A row of this run, and one of an earlier run that may be the same customer.

    Args:
        kinds: what they are alike in (`compared_kinds`); empty: they have the same reference and nothing in
            common.
        run_id: the earlier run.
        row: the number that a person sees there.
    """

    ordinal: int
    kinds: tuple[str, ...]
    run_id: str
    target: str
    row: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """How rows are compared with customers of earlier runs.

    Args:
        contract: what the records are.
        possible_duplicate: what becomes of a row that may be a customer under another import key.
        external_id_decides: take a row with a known reference as the customer that had it before.
        target: where this run sends; only what is known of that target makes an error.
        columns: customer field to source column, for messages.
        content: hash of the source's bytes: rows of the same content are matched by their place, too.
        sheet: the sheet that was read.
        default_region: the profile's, for phone numbers.
        allows_duplicates: rows of one source may share an import key.
        scope: of a plan, target and account that it is for: other customers are not looked at. Empty: all of them.
    """

    contract: Contract
    possible_duplicate: Literal["warn", "reject", "ignore"]
    external_id_decides: bool
    target: str
    columns: Mapping[str, str]
    content: str = ""
    sheet: str = ""
    default_region: str | None = None
    allows_duplicates: bool = False
    scope: str = ""

    def issues(self, matches: Iterator[Match]) -> Iterator[Issue]:
        """Say it in sentences."""
        for match in matches:
            if match.kinds and self.possible_duplicate != "ignore":
                yield self._possible_duplicate(match)
            elif not match.kinds and not self.external_id_decides:
                yield self._of_another(match)

    def _possible_duplicate(self, match: Match) -> Issue:
        identity = self.contract.identity
        alike = " and ".join(identity.likenesses[kind].words for kind in match.kinds)
        text = (
            f"The run {match.run_id} has a customer with the same {alike} in row {match.row} under another import key"
            f"{self._other_copy(match)}; check whether this is the same customer."
        )
        refused = self.possible_duplicate == "reject" and match.target == self.target
        severity = Severity.ERROR if refused else Severity.WARNING
        return self._issue(
            match.ordinal, "possible_duplicate", text, identity.likenesses[match.kinds[0]].fields, severity
        )

    def old_match(self, match: Match) -> Issue:
        """Say that a row may be a customer of whom nothing but a key of an earlier rule is left."""
        text = (
            f"The run {match.run_id} may have created this customer in row {match.row}{self._other_copy(match)},"
            " before the rules by which customers are recognised changed; its data was purged."
            " Check whether it is the same customer."
        )
        severity = Severity.ERROR if match.target == self.target else Severity.WARNING
        return self._issue(match.ordinal, "possible_duplicate", text, self.contract.identity.changed_fields, severity)

    def _of_another(self, match: Match) -> Issue:
        text = (
            f"The run {match.run_id} has another person in row {match.row} under this reference"
            f"{self._other_copy(match)}: name, email and phone all differ. Correct the reference."
        )
        severity = Severity.ERROR if match.target == self.target else Severity.WARNING
        return self._issue(
            match.ordinal, "external_id_of_another", text, (self.contract.identity.reference_field,), severity
        )

    def _other_copy(self, match: Match) -> str:
        return "" if match.target == self.target else f" at the target {match.target}"

    def _issue(self, ordinal: int, code: str, text: str, fields: Sequence[str], severity: Severity) -> Issue:
        name = next((name for name in fields if name in self.columns), fields[0])
        return Issue(ordinal, code, text, name, self.columns.get(name, ""), severity)


@dataclass(frozen=True, slots=True)
class Merging:
    """How the bodies of a group become one.

    Args:
        stamp: the metadata name of the import key; empty: it is not stamped.
        alike: customer fields that the rows are grouped by.
        columns: customer field to source column, for messages.
    """

    stamp: str
    alike: Sequence[str]
    columns: Mapping[str, str]
