"""What became of one text: its normalised value, every change that a rule made to it, and what is wrong with it.

Field types build a `Reading` by a chain of `then`, `warn` and `refuse`; nothing here knows a rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple


class Normalisation(NamedTuple):
    """What a rule made of a text."""

    rule: str
    before: str
    after: str


class Reading(NamedTuple):
    """One text, read.

    Args:
        value: what will be sent; "" where the text is blank or refused.
        changes: what altered it, in order.
        error: the issue code that refuses it; empty when it is fine.
        warnings: issue codes that do not refuse it.
        extension: the phone extension that was behind a number.
        countries: names of the row's country and of the default one, for issues that name both.
    """

    value: str
    changes: tuple[Normalisation, ...] = ()
    error: str = ""
    warnings: tuple[str, ...] = ()
    extension: str = ""
    countries: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether the text is sent as it is, without a note."""
        return not (self.changes or self.error or self.warnings or self.extension)

    def then(self, rule: str, value: str) -> Reading:
        """Go on with another value; a change is kept only where it differs."""
        if value == self.value:
            return self
        return self._replace(value=value, changes=(*self.changes, Normalisation(rule, self.value, value)))

    def warn(self, code: str) -> Reading:
        """Add a warning."""
        return self._replace(warnings=(*self.warnings, code))

    def refuse(self, code: str) -> Reading:
        """Refuse the text; what it was stays out of the result."""
        return Reading("", error=code)


@dataclass(frozen=True, slots=True)
class Policy:
    """How strict to be, and what to assume.

    Args:
        phone: `e164` (shape only), `possible` or `valid` (libphonenumber's verdicts).
        region: two-letter country of phone numbers without a country code whose row names no country; None: such
            numbers are refused.
        today: the day that birth dates are judged by; None: they are not judged.
        no_change: fields that must be sent as they are in the source.
        partial: rows are parts of records that exist: what they do not name is not missing.
    """

    phone: Literal["e164", "possible", "valid"] = "possible"
    region: str | None = "US"
    today: date | None = None
    no_change: frozenset[str] = frozenset()
    partial: bool = False
