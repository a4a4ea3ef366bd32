"""One record becomes one outcome: rate, retry, reconcile, breaker, canary. The only package that waits.

It knows one record, its attempts and the limiter; it never sees a status code, a file or the journal.
"""

from __future__ import annotations

from importer.delivery.adaptive_rate import AdaptiveRate
from importer.delivery.asking import Asking, Patience
from importer.delivery.backoff import Backoff
from importer.delivery.breaker import Breaker, BreakerRules
from importer.delivery.canary import Ask, Canary
from importer.delivery.deliver import Deliver, FindOnly
from importer.delivery.feedback import Feedback
from importer.delivery.follow_up import FollowUp, Outcomes
from importer.delivery.matching import Matcher
from importer.delivery.rate_limit import StrictLimiter
from importer.delivery.second_look import SecondLooks
from importer.delivery.sliding_window import Window
from importer.delivery.stamps import Stamps, stamps_of_others
from importer.delivery.stops import StopSwitch, Thresholds, closing_at, stopped_with

__all__ = [
    "AdaptiveRate",
    "Ask",
    "Asking",
    "Backoff",
    "Breaker",
    "BreakerRules",
    "Canary",
    "Deliver",
    "Feedback",
    "FindOnly",
    "FollowUp",
    "Matcher",
    "Outcomes",
    "Patience",
    "SecondLooks",
    "Stamps",
    "StopSwitch",
    "StrictLimiter",
    "Thresholds",
    "Window",
    "closing_at",
    "stamps_of_others",
    "stopped_with",
]
