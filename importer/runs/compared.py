"""One thing that a receipt says, and what came of working it out again. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that was worked out again.

    Args:
        status: `ok`, `differs`, `missing`, or `gone` (no longer there, as may well be); of an approval `refused`, where
            the policy of now does not let it count, or `unchecked`, where there is no policy to check it by.
        message: the result as a sentence; empty when it is ok.
    """

    what: str
    status: str
    message: str = ""


def same(what: str, said: object, found: object, otherwise: str) -> Compared:
    """Compare two values; `otherwise` is the sentence where they differ."""
    return Compared(what, "ok") if said == found else Compared(what, "differs", otherwise)
