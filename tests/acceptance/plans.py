"""A user whose machine has a policy, for acceptance tests of plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.conftest import Ran, User, Witness, sandbox
from tests.approvals import Office

QUICK = ['rate = "900/s"', "looks_after_s = [0, 0.1]"]


@dataclass
class Site:
    """A user, a server that takes approved plans alone, and the people who sign them."""

    user: User
    witness: Witness
    profile: Path
    office: Office

    @property
    def environ(self) -> dict[str, str]:
        """The machine with the policy, without a key of its own."""
        return {
            **self.witness.environ,
            "IMPORTER_APPROVAL_POLICY": str(self.office.path),
            "IMPORTER_KEYS": str(self.user.home / "no-keys"),
        }

    def types(self, *words: str | Path, free: bool = False) -> Ran:
        """Type a command; `free`: on a machine without a policy."""
        environ = self.witness.environ if free else self.environ
        return self.user.types(*words, *sandbox(self.profile), "--json", **environ)

    def looks(self, *words: str | Path) -> Ran:
        """Type a command that sends nothing."""
        return self.user.types(*words, "--json", **self.environ)

    @property
    def runs(self) -> list[str]:
        """The ids of the runs that sent something, the newest first."""
        return [str(one["run_id"]) for one in self.looks("runs").json["runs"] if not one["dry_run"]]

    def plans(self, *words: str | Path) -> Path:
        """Have a plan made by Anna."""
        key = self.office.keys / "anna.key"
        self.office.signer("anna")
        ran = self.types("plan", *words, "--key", key)
        assert ran.code in {0, 3}, ran.out
        return self.user.home / str(ran.json["files"]["plan"])

    def approves(self, plan: Path, name: str = "ben") -> Ran:
        """Have somebody approve a plan."""
        self.office.signer(name)
        key = self.office.keys / f"{name}.key"
        return self.user.types("approve", plan, "--key", key, "--yes", "--json", **self.environ)

    @property
    def changes(self) -> dict[str, int]:
        """What the server was made to do, by kind."""
        return {kind: count for kind, count in self.witness.ledger()["committed"].items() if count}

    @property
    def asked(self) -> int:
        """Requests that have arrived, of all kinds."""
        return int(self.witness.ledger()["requests"])


def site_of(user: User, witness: Witness, profile_for: Callable[..., Path], more: str = "") -> Site:
    """Put one up."""
    office = Office(user.home / "office", witness.base_url.partition("://")[2])
    office.decrees()
    return Site(user, witness, profile_for(witness, delivery=QUICK, more=more), office)
