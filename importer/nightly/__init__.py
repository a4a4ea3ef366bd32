"""What a night needs beside a run: hours, a forecast, a folder of arriving files, and notifications to people.

Knows no journal and no target: `importer.night` puts these parts and the runs together.
"""

from __future__ import annotations

from importer.nightly.folder import DropFolder, Seen
from importer.nightly.forecast import Forecast, Workload, forecast
from importer.nightly.hours import Hours
from importer.nightly.inbox import Inbox
from importer.nightly.night_report import Fate, Import, NightReport, worst
from importer.nightly.notification_sender import Sender, sender_for
from importer.nightly.notifications import Notification, compose

__all__ = [
    "DropFolder",
    "Fate",
    "Forecast",
    "Hours",
    "Import",
    "Inbox",
    "NightReport",
    "Notification",
    "Seen",
    "Sender",
    "Workload",
    "compose",
    "forecast",
    "sender_for",
    "worst",
]
