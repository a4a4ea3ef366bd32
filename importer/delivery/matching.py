"""Is one of these customers the record in hand? Pure.

The proof is the stamp: every create carries its import key, and no other row has that key. Whether a customer without
it can be ours depends on the target (`stamps`). How a customer is compared is the contract's (`ports.Recognition`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from importer.core.outcomes import Candidate, Record
from importer.core.ports import Recognition

_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Match:
    """The result of comparing the candidates.

    Args:
        stamped: customers that carry this row's import key: ours by proof.
        unstamped: customers with the same data and without any key.
        same: customers with the same data, by whom ever they were created.
        different: customers under the same externalId with other data, and the fields that differ.
    """

    stamped: tuple[Candidate, ...] = ()
    unstamped: tuple[Candidate, ...] = ()
    same: tuple[Candidate, ...] = ()
    different: tuple[tuple[Candidate, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Matcher:
    """Compares records with customers.

    Args:
        recognition: the contract's.
        stamp: the name of the import key in creates; empty: creates are not stamped.
    """

    recognition: Recognition
    stamp: str

    def compare(self, record: Record, candidates: Sequence[Candidate], *, loses_metadata: bool = False) -> Match:
        """Judge what a look-up returned.

        Args:
            loses_metadata: the target was seen to lose it, so a customer without any may be the same one.
        """
        differing = [(one, self._differences(record, one, loses_metadata=loses_metadata)) for one in candidates]
        same = tuple(one for one, fields in differing if not fields)
        return Match(
            stamped=tuple(one for one in candidates if self.bears(one, record.key)),
            unstamped=tuple(one for one in same if not self._has_a_stamp(one) and not self.bears(one, record.key)),
            same=same,
            different=tuple((one, fields) for one, fields in differing if fields),
        )

    def bears(self, candidate: Candidate, key: str) -> bool:
        """Whether a customer carries an import key."""
        return self.recognition.bears(candidate.body, key)

    def keys_of(self, candidates: Iterable[Candidate]) -> set[str]:
        """The import keys that customers are stamped with, whoever stamped them."""
        if not self.stamp:
            return set()
        stamps = (self.recognition.stamp_of(one.body, self.stamp) for one in candidates)
        return {stamp for stamp in stamps if isinstance(stamp, str) and _KEY.fullmatch(stamp)}

    def _differences(self, record: Record, candidate: Candidate, *, loses_metadata: bool) -> tuple[str, ...]:
        return self.recognition.differences(record.payload, candidate.body, self.stamp, loses_metadata=loses_metadata)

    def _has_a_stamp(self, candidate: Candidate) -> bool:
        return bool(self.stamp) and self.recognition.stamp_of(candidate.body, self.stamp) is not None
