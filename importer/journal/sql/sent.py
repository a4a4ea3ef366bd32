"""What is remembered of a request body: keyed hashes, which outlive the body itself."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import NamedTuple

from importer.core.contract import Contract, person_of

MARKS = STAMPED, UNSTAMPED = "m", "u"
"""Mark hashes of what a body means, with and without a stamp in it; in capitals once the customer was updated. Older
ones, over bytes, are not compared."""


class Sent(NamedTuple):
    """What is remembered of a request body: keyed hashes, so that it cannot be read once it is purged.

    Args:
        body: of its meaning; equal ones mean that the same was sent.
        person: of name, email and phone (`Identity.personal`).
    """

    body: str
    person: str

    def means_the_same(self, body: str) -> bool:
        """Whether a body with this hash means the same, whatever its stamp."""
        return self.body[1:] == body[1:]


class Hashing(NamedTuple):
    """Makes what is remembered of bodies.

    Args:
        secret: the workspace's: without it names and addresses cannot be guessed.
    """

    contract: Contract
    secret: bytes

    def sent(self, payload: bytes, key: str) -> Sent:
        """Hash a body.

        Args:
            key: the import key that it is stamped with, which does not count.
        """
        said, identity = json.loads(payload), self.contract.identity
        digest = blake2b(self.contract.bodies.meaning(said, key), key=self.secret, digest_size=8).hexdigest()
        mark = STAMPED if key.encode() in payload else UNSTAMPED
        found = identity.prints_of(self.secret, said, identity.personal)
        return Sent(mark + digest, person_of(found, identity.personal))
