"""One record becomes one outcome: rate, retry, reconcile, breaker. The only room that waits.

It knows one record, its attempts and the limiter; it never sees a status code, a file or the journal.
"""

from __future__ import annotations

from importer.delivery.backoff import Backoff
from importer.delivery.closing import closing_at
from importer.delivery.deliver import Deliver, Patience
from importer.delivery.rate import StrictLimiter
from importer.delivery.stops import StopSwitch, Thresholds

__all__ = ["Backoff", "Deliver", "Patience", "StopSwitch", "StrictLimiter", "Thresholds", "closing_at"]
