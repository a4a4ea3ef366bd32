"""People with keys, and the policies that name them, for tests of plans and their approvals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from importer.approval import Signer, new_key, sign
from importer.core.plans import Role
from importer.runs.plans.plan_file import PlanFile

Plan = TypeVar("Plan", bound=PlanFile)
LIMIT = 50_000


@dataclass
class Office:
    """Anna makes plans, Ben approves up to a limit, Carol does both, and Dora is not in the policy.

    Args:
        folder: of keys and policy.
        host: of the server that takes approved plans alone.
    """

    folder: Path
    host: str
    signers: dict[str, Signer] = field(default_factory=dict)

    @property
    def keys(self) -> Path:
        """The folder of the keys."""
        return self.folder / "keys"

    @property
    def path(self) -> Path:
        """The policy."""
        return self.folder / "approval.toml"

    def signer(self, name: str) -> Signer:
        """Somebody's key, made when it is first needed."""
        if name not in self.signers:
            self.signers[name] = new_key(self.keys, name).unlock()
        return self.signers[name]

    def decrees(self, *, but: Iterable[str] = (), head: str = "", approval: bool = True, limit: int = LIMIT) -> Path:
        """Write the policy.

        Args:
            but: people who are left out of it.
            head: further keys at its top.
        """
        rules = {
            "anna": "plans = true",
            "ben": f'approves = [{{ targets = ["sandbox"], rows = {limit} }}]',
            "carol": 'plans = true\napproves = [{ targets = ["sandbox"], jobs = ["import", "undo", "update"] }]',
        }
        people = [
            f'[people.{name}]\nkey = "{self.signer(name).public}"\n{rule}'
            for name, rule in rules.items()
            if name not in but
        ]
        server = f'[targets.sandbox]\nhost = "{self.host}"\napproval = {str(approval).lower()}'
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("\n".join([head, server, *people]) + "\n", encoding="utf-8")
        return self.path

    def signs(self, plan: Plan, name: str, role: Role = "approver", *, at: float) -> Plan:
        """Have somebody sign a plan."""
        return plan.signed(sign(plan.sha256, role, self.signer(name), at))
