"""Does this target keep the stamp that every create carries, and which workspaces wrote the stamps that it holds?

Only where it does is a customer without our stamp certainly not ours. A customer that carries the stamp is ours anyway.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from importer.core.errors import StoppingError
from importer.core.outcomes import Found
from importer.core.ports import Lister
from importer.delivery.matching import Matcher

SAMPLES = 2
"""Customers that are read back, at most."""


async def stamps_of_others(
    target: object, matcher: Matcher, never_claimed: Callable[[AbstractSet[str]], AbstractSet[str]]
) -> int:
    """Count the newest customers at the target that another workspace stamped: it may be at work on the same rows.

    Args:
        target: one that cannot list its customers, or does not answer, counts as 0; it is not asked in a run that
            stops.
        never_claimed: of some import keys those that this workspace has never claimed.
    """
    if not matcher.stamp or not isinstance(target, Lister):
        return 0
    try:
        found = await target.newest()
    except StoppingError:
        return 0
    return len(never_claimed(matcher.keys_of(found.candidates)))


class Sample(NamedTuple):
    """A customer that this pass created, and the import key that it was stamped with."""

    customer_id: str
    key: str


class Stamps:
    """What this pass has learned about the stamp.

    Args:
        matcher: knows the stamp.
    """

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self._created = 0
        self._samples: deque[Sample] = deque()
        self._seen: set[bool] = set()

    @property
    def kept(self) -> bool | None:
        """Whether every customer of ours that was seen carries its stamp; None: none was seen."""
        return False not in self._seen if self._seen else None

    def created(self, key: str, customer_id: str) -> None:
        """Remember one of the first customers that were created."""
        if self.matcher.stamp and self._created < SAMPLES:
            self._created += 1
            self._samples.append(Sample(customer_id, key))

    def next_sample(self) -> Sample | None:
        """Take a customer that is to be read back; None: there is none (yet), or enough were read."""
        return self._samples.popleft() if self._samples else None

    def read(self, sample: Sample, found: Found) -> None:
        """Learn from a customer that was read back; one that could not be read teaches nothing."""
        for candidate in found.candidates:
            self.saw(kept=self.matcher.bears(candidate, sample.key))

    def saw(self, *, kept: bool) -> None:
        """Learn from one customer of ours: whether it carries its stamp."""
        self._seen |= {kept}

    def found(self) -> None:
        """Learn that a look-up found a customer by its stamp: this target kept it."""
        self.saw(kept=True)

    def learned(self) -> dict[str, Any]:
        """What was learned, in JSON types; {} when nothing was."""
        return {} if self.kept is None else {"keeps_metadata": self.kept}
