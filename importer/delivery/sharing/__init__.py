"""Many workers send to one account together: what each may do is agreed on over a ledger that all of them reach."""

from __future__ import annotations

from importer.delivery.sharing.division import Limit
from importer.delivery.sharing.ledger import LASTS_S, Moment, exchange
from importer.delivery.sharing.link import Participant, SharedSending
from importer.delivery.sharing.messages import Allowed, Report, StopReason

__all__ = ["LASTS_S", "Allowed", "Limit", "Moment", "Participant", "Report", "SharedSending", "StopReason", "exchange"]
