"""What a contract says of customers that exist: the steps after a create, and changes. Protocols only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from importer.core.step_tasks import VerificationProfile, VerificationRules
from importer.core.steps import Step


class AfterCreate(Protocol):
    """The steps after a create that a target offers beside reading back. Pure."""

    @property
    def steps(self) -> Collection[Step]:
        """Which they are; `verify` is always there and not among them."""
        ...

    def record_type(self, body: Mapping[str, Any]) -> str:
        """The type of record that the body of a create is."""
        ...

    def missing(
        self,
        body: Mapping[str, Any],
        after: Mapping[str, Any],
        profile: VerificationProfile,
        rules: VerificationRules,
    ) -> tuple[str, ...]:
        """Name the fields that a row lacks for a verification, dotted; a type that it does not take is `type`.

        Args:
            body: of the create.
            after: what validation has kept for after it (`core.steps.parts_of`).
        """
        ...

    def unknown_requirements(self, profile: VerificationProfile, rules: VerificationRules) -> tuple[str, ...]:
        """Name what a profile asks for and the contract does not know; no row is unready for it."""
        ...


class Changes(Protocol):
    """How records at the target are changed. Pure."""

    @property
    def steps(self) -> Collection[Step]:
        """Which changes the target makes (`core.steps.CHANGES`)."""
        ...

    def touched(self, body: Mapping[str, Any], by_us: Collection[Step]) -> str:
        """Say why a record is not as its run has left it, as far as it says that itself; empty: it does not.

        Args:
            by_us: the steps that the run has done to it after its create: they may have changed it, too.
        """
        ...

    def fingerprint(self, body: Mapping[str, Any]) -> str:
        """Write down what a record at the target is like: another text once somebody has changed it.

        Nothing of the record can be read from it. What the target moves on its own does not count.
        """
        ...
