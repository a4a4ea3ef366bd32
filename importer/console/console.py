"""What all pages of the console share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from importer.console.access import Access
from importer.console.jobs import Jobs
from importer.profile import EMULATOR, Profile
from importer.runs.context import Machine
from importer.runs.drafts.drafts import DraftService


@dataclass(frozen=True, slots=True)
class Console:
    """What all pages share.

    Args:
        profile: of the console; a browser can name no other one, and no target that it does not name.
    """

    profile: Profile
    access: Access
    jobs: Jobs
    drafts: DraftService
    machine: Machine

    @property
    def workspace(self) -> Path:
        """The folder of the workspace."""
        return self.profile.workspace

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that an import can be sent to, the rehearsal first."""
        return (EMULATOR, *(name for name in self.profile.targets if name != EMULATOR))
