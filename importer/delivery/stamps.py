"""Does this target keep the metadata that every create carries? Pure; told of customers that were read back.

Only where it does is a customer without our stamp certainly not ours. A customer that bears the stamp is ours anyway.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from importer.delivery.matching import bears
from importer.records import Found

SAMPLES = 2
"""Customers that are read back, at most."""


class Sample(NamedTuple):
    """A customer that this pass created, and the import key that it was stamped with."""

    customer_id: str
    key: str


class Stamps:
    """What this pass has learned about the stamp.

    Args:
        name: the metadata name of the import key; empty: creates are not stamped.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._created = 0
        self._samples: deque[Sample] = deque()
        self._seen: set[bool] = set()

    @property
    def kept(self) -> bool | None:
        """Whether every customer of ours that was seen bears its stamp; None: none was seen."""
        return False not in self._seen if self._seen else None

    def created(self, key: str, customer_id: str) -> None:
        """Remember one of the first customers that were created."""
        if self._name and self._created < SAMPLES:
            self._created += 1
            self._samples.append(Sample(customer_id, key))

    def next_sample(self) -> Sample | None:
        """Take a customer that is to be read back; None: there is none (yet), or enough were read."""
        return self._samples.popleft() if self._samples else None

    def read(self, sample: Sample, found: Found) -> None:
        """Learn from a customer that was read back; one that could not be read teaches nothing."""
        self._seen |= {bears(candidate, sample.key) for candidate in found.candidates}

    def found(self) -> None:
        """Learn that a look-up found a customer by its stamp: this target kept it."""
        self._seen |= {True}

    def learned(self) -> dict[str, Any]:
        """What was learned, in JSON types; {} when nothing was."""
        return {} if self.kept is None else {"keeps_metadata": self.kept}
