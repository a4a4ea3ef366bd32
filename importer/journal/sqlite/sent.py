"""What is remembered of a request body: keyed hashes, which outlive the body itself."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import NamedTuple

from importer.core.contract import person_of
from importer.customers.bodies import meaning
from importer.customers.likeness import PERSONAL, prints_of

MARKS = STAMPED, UNSTAMPED = "m", "u"
"""Mark hashes of what a body means, with and without a stamp in it. Older ones, over bytes, say nothing."""


class Sent(NamedTuple):
    """What is remembered of a request body: keyed hashes, so that the journal tells nothing of it once it is purged.

    Args:
        body: of its meaning; equal ones mean that the same was sent.
        person: of name, email and phone (see `customers.likeness`).
    """

    body: str
    person: str

    @classmethod
    def of(cls, secret: bytes, payload: bytes, key: str) -> Sent:
        """Hash a body.

        Args:
            key: the import key that it is stamped with, which does not count.
        """
        said = json.loads(payload)
        digest = blake2b(meaning(said, key), key=secret, digest_size=8).hexdigest()
        mark = STAMPED if key.encode() in payload else UNSTAMPED
        return cls(mark + digest, person_of(prints_of(secret, said, PERSONAL), PERSONAL))

    def means_the_same(self, body: str) -> bool:
        """Whether a body that is remembered so said the same, whatever its stamp."""
        return self.body[1:] == body[1:]
