"""A folder that files arrive in, on this machine or at an address: each file becomes a run."""

from __future__ import annotations

from importer.inbox.file_import import Overrides
from importer.inbox.inbox import Inbox
from importer.inbox.notifications import report_broken_profile
from importer.inbox.report import PassReport

__all__ = ["Inbox", "Overrides", "PassReport", "report_broken_profile"]
