"""Does this target keep the metadata that every create carries, and whose are the stamps that it holds?

Only where it does is a customer without our stamp certainly not ours. A customer that bears the stamp is ours anyway.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from importer.core.errors import StoppingError
from importer.core.outcomes import Candidate, Found
from importer.core.ports import Lister
from importer.delivery.matching import bears

_KEY = re.compile(r"[0-9a-f]{32}")
SAMPLES = 2
"""Customers that are read back, at most."""


async def stamps_of_others(
    target: object, name: str, never_claimed: Callable[[AbstractSet[str]], AbstractSet[str]]
) -> int:
    """Count the newest customers at the target that another workspace stamped: it may be at work on the same rows.

    Args:
        target: one that cannot list its customers, or does not answer, tells nothing; nor is it asked in a run that
            stops.
        name: the metadata name of the import key; empty: creates are not stamped.
        never_claimed: of some import keys those that this workspace has never claimed.
    """
    if not name or not isinstance(target, Lister):
        return 0
    try:
        found = await target.newest()
    except StoppingError:
        return 0
    return len(never_claimed(stamps_of(found.candidates, name)))


def stamps_of(candidates: Iterable[Candidate], name: str) -> set[str]:
    """The import keys that customers are stamped with.

    Args:
        name: the metadata name of the import key.
    """
    stamps = (candidate.body.get("metadata") or {} for candidate in candidates)
    values = (metadata.get(name) for metadata in stamps if isinstance(metadata, Mapping))
    return {value for value in values if isinstance(value, str) and _KEY.fullmatch(value)}


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
        for candidate in found.candidates:
            self.saw(kept=bears(candidate, sample.key))

    def saw(self, *, kept: bool) -> None:
        """Learn from one customer of ours: whether it bears its stamp."""
        self._seen |= {kept}

    def found(self) -> None:
        """Learn that a look-up found a customer by its stamp: this target kept it."""
        self.saw(kept=True)

    def learned(self) -> dict[str, Any]:
        """What was learned, in JSON types; {} when nothing was."""
        return {} if self.kept is None else {"keeps_metadata": self.kept}
