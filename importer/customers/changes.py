"""What of a customer shows whether it was changed: its fingerprint. Pure.

What only the server moves on its own does not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from importer.customers.bodies import canonical

_OF_THE_SERVER = frozenset({"verificationStatus"})
"""What changes although nobody changes the customer (K~)."""


def fingerprint(body: Mapping[str, Any]) -> str:
    """SHA-256 of all that a customer says, its status and the time of its last update included."""
    counts = {name: value for name, value in body.items() if name not in _OF_THE_SERVER}
    text = json.dumps(canonical(counts), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class CustomerChanges:
    """Changes of customers. Implements `core.contract.Changes`."""

    fingerprint = staticmethod(fingerprint)
