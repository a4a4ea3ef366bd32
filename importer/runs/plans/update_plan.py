"""The plan of an update: which customers it would change, by what, and as what a list has read them. Sends nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from importer.core.batches import digest_of
from importer.core.contract import Contract
from importer.core.steps import StepState
from importer.journal import Journal, StoredRun
from importer.profile import KeptProfile, Profile
from importer.readers import content_hash
from importer.runs.kept_corrections import corrections_of
from importer.runs.plans.bodies import BodyHashes
from importer.runs.plans.import_plan import NOT_AS_PLANNED, PlannedSource, of_content, of_profile, refused
from importer.runs.plans.plan_file import PlanFile, PlanPart, Sha256
from importer.runs.plans.rules import ProgramRules, rules_of

FILE = "update-plan.json"


class UpdateContent(PlanPart):
    """What an update changes, and everything that decides it.

    Args:
        kept: the profile as the list has kept it (`KeptProfile`).
        profile: its fingerprint.
        counts: customers: `read`, `change`, `unchanged`, `refused`.
        bodies: over what each row changes, its customer, and as what that one was read.
    """

    source: PlannedSource
    kept: Mapping[str, Any]
    profile: Sha256
    rules: ProgramRules
    counts: Mapping[str, int]
    bodies: BodyHashes


class UpdatePlan(PlanFile):
    """What an update changes; `run_id` is that of its list."""

    what: ClassVar[str] = "a plan of an update"

    format: Literal["update-plan 1"] = "update-plan 1"
    job: Literal["update"] = "update"
    content: UpdateContent

    @property
    def root(self) -> str:
        return self.content.bodies.root

    def require_profile(self, profile: Profile) -> None:
        if differences := self._of_profile(profile):
            raise refused(differences)

    def require_same(self, profile: Profile, name: str, source_sha256: str) -> None:
        """Refuse what differs although the list is as it was.

        Args:
            profile: under which customers would be changed.
            name: of the source.
            source_sha256: of its content.

        Raises:
            PlanRefusedError: something does; all of it is named.
        """
        source = self.content.source
        corrected = " or its corrections" if source.corrections or profile.source.corrections else ""
        differences = [f"{of_content(source.name, name)}{corrected}"] if source.sha256 != source_sha256 else []
        differences += self._of_profile(profile)
        differences += self.content.rules.differences(rules_of(profile.contract))
        if differences:
            raise refused(differences)

    def require_list(self, journal: Journal, stored: StoredRun) -> None:
        """Refuse a list that is not as it was when the plan was made.

        Raises:
            PlanRefusedError: it is another one.
        """
        if not stored.facts.lists_only:
            raise refused([f"the list {self.run_id}, by which customers were changed already"])
        if differences := self.content.bodies.differences(listed_in(journal, stored)):
            raise refused([f"the list {self.run_id} ({'; '.join(differences)})"])

    def deviation(self, journal: Journal, run: int) -> str:
        return "" if BodyHashes.of(_digests(journal, run)).root == self.root else NOT_AS_PLANNED

    def _of_profile(self, profile: Profile) -> list[str]:
        keys = profile.sends_otherwise(self.content.kept["settings"])
        return [of_profile(keys)] if keys else []


def content_of(journal: Journal, stored: StoredRun, contract: Contract) -> UpdateContent:
    """Gather what a list would change.

    Args:
        stored: the list, which has ended.
        contract: what its records are.
    """
    header, bodies = stored.header, listed_in(journal, stored)
    read = journal.runs.counts(stored.run)["read"]
    unchanged = sum(one.entries for one in journal.steps(stored.run).counts() if one.state is StepState.DONE)
    corrections = corrections_of(stored)
    refused_rows = read - bodies.count - unchanged
    return UpdateContent(
        source=PlannedSource(
            name=header.source,
            path=header.path,
            sha256=header.content_hash,
            rows=read,
            corrections="" if corrections is None else content_hash(corrections),
        ),
        kept=KeptProfile.model_validate_json(stored.profile).model_dump(mode="json"),
        profile=header.profile_hash,
        rules=rules_of(contract),
        counts={"read": read, "change": bodies.count, "unchanged": unchanged, "refused": refused_rows},
        bodies=bodies,
    )


def listed_in(journal: Journal, stored: StoredRun) -> BodyHashes:
    """Hash what a list would change, in the order of its rows; they are read twice."""
    numbers = (row.row for row, _ in journal.steps(stored.run).listed())
    return BodyHashes.of(_digests(journal, stored.run), numbers)


def _digests(journal: Journal, run: int) -> Iterator[bytes]:
    for row, guard in journal.steps(run).listed():
        body = digest_of(row.payload, row.after)
        yield hashlib.sha256(b"%b%b\n%b" % (body, row.customer_id.encode(), guard.encode())).digest()
