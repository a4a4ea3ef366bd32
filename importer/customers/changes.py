"""What of a customer shows whether it was changed: its fingerprint, its status, its times. Pure.

What only the server moves on its own does not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from importer.core.steps import CHANGES, Step
from importer.customers.bodies import canonical

_OF_THE_SERVER = frozenset({"verificationStatus"})
"""What changes although nobody changes the customer (K~)."""
ACTIVE, SUSPENDED = "ACTIVE", "SUSPENDED"
"""The statuses of a customer (K): the first one is that of a new one."""
_SAME_MOMENT_S = 1.0
"""A create may write its two times one after the other (NF)."""


def fingerprint(body: Mapping[str, Any]) -> str:
    """SHA-256 of all that a customer says, its status and the time of its last update included."""
    counts = {name: value for name, value in body.items() if name not in _OF_THE_SERVER}
    text = json.dumps(canonical(counts), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class CustomerChanges:
    """Changes of customers. Implements `core.contract.Changes`."""

    steps = CHANGES
    fingerprint = staticmethod(fingerprint)

    def touched(self, body: Mapping[str, Any], by_us: Collection[Step]) -> str:
        """Its status is not that of a new customer, or its last update is later than its create."""
        status = str(body.get("status") or ACTIVE).strip().upper()
        if status != ACTIVE and not (status == SUSPENDED and Step.SUSPEND in by_us):
            return f"Its status is {status}." if status.isascii() and status.isalpha() else "Its status is another one."
        created, updated = _moment(body.get("createdAt")), _moment(body.get("updatedAt"))
        later = created is not None and updated is not None and updated - created > _SAME_MOMENT_S
        return "It was changed after it was created." if later and not {*by_us} - {Step.VERIFY} else ""


def _moment(text: object) -> float | None:
    """Seconds since the epoch; None: it says nothing."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
