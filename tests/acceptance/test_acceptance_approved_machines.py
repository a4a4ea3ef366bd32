"""Plans as they go round an office, whose people plan, sign and send in processes of their own, without a server."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from importer.approval import key_of
from tests.acceptance.conftest import ROOT, Ran, User, exactly_once, people, sandbox, serving
from tests.approvals import Office

ROWS = 6
PHRASE = "plainly-fictional-phrase"
CELLS = ("Givencanary", "Familycanary", "canary@example.com", "2125550199")


@dataclass
class Desk:
    """A folder whose commands keep nothing from one to the next, and all that they have said.

    Args:
        base_url: of the server; it need not run.
    """

    user: User
    base_url: str
    credentials: dict[str, str]
    said: list[str] = field(default_factory=list)

    @property
    def office(self) -> Office:
        return Office(self.user.home / "office", self.base_url.partition("://")[2])

    @property
    def profile(self) -> Path:
        return self.user.home / "sandbox.toml"

    def types(self, *words: str | Path, **environ: str) -> Ran:
        """Run a command in this process."""
        return self._heard(self.user.types, *words, **environ)

    def types_for_real(self, *words: str | Path, **environ: str) -> Ran:
        """Run a command in a process of its own."""
        return self._heard(self.user.types_for_real, *words, **environ)

    def _heard(self, types: Callable[..., Ran], *words: str | Path, **environ: str) -> Ran:
        there = {
            "IMPORTER_APPROVAL_POLICY": str(self.office.path),
            "IMPORTER_KEYS": str(self.office.keys),
            "IMPORTER_KEY_PASSPHRASE": PHRASE,
        }
        ran = types(*words, **{**there, **self.credentials, **environ})
        self.said += [ran.out, ran.err]
        return ran

    def refused(self, code: int, *names: str, words: tuple[str | Path, ...] = (), program: Path | None = None) -> None:
        """Sending by the plan, also by another program, ends with a code and the names of what is wrong."""
        sends = ("run", *words, "--plan", "plan.json", "--json")
        ran = self.types(*sends) if program is None else self.types_for_real(*sends, PYTHONPATH=str(program))
        assert ran.code == code, ran.out + ran.err
        for name in names:
            assert name in ran.json["error"], ran.json["error"]


def rows() -> str:
    """A file whose first person can be recognised everywhere."""
    first, last, email, phone = CELLS
    return people(ROWS) + f"L-99,{first},{last},{email},+1{phone}\n"


def settle(desk: Desk, *, apart: bool = False) -> None:
    """Give everybody a key, write the policy, plan the file, and have the plan approved: no server is asked.

    Args:
        apart: plan and approve in processes of their own.
    """
    types = desk.types_for_real if apart else desk.types
    for name in ("anna", "ben", "carol"):
        made = desk.types("key", "new", name, "--passphrase")
        assert made.code == 0, made.err
    office = desk.office
    office.signers.update({name: key_of(name, office.keys).unlock(PHRASE) for name in ("anna", "ben", "carol")})
    office.decrees()
    desk.user.has("people.csv", rows())
    desk.profile.write_text(f'[delivery]\nrate = "900/s"\n[targets.sandbox]\nbase_url = "{desk.base_url}"\n')
    words = ("plan", "people.csv", *sandbox(desk.profile), "--out", "plan.json", "--key", "anna")
    assert types(*words).code == 0, desk.said
    alone = types("approve", "plan.json", "--key", "anna", "--yes")
    assert (alone.code, "anna" in alone.err) == (5, True)
    assert types("approve", "plan.json", "--key", "ben", "--yes").code == 0, desk.said
    shown = types("show", "plan.json")
    assert "Approved." in shown.out


NOBODY = {"ROCKETKOR_API_KEY": "fictional-key", "ROCKETKOR_API_SECRET": "fictional-secret"}


@contextmanager
def changed(path: Path, text: str) -> Iterator[None]:
    """A file says something else for a while."""
    before = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    yield
    path.write_text(before, encoding="utf-8")


def without_traces(desk: Desk) -> None:
    """No key and no passphrase is in any file or output, and no cell in a plan, a log, a receipt or an output."""
    files = [path for path in desk.user.home.rglob("*") if path.is_file() and path.suffix != ".key"]
    private = [path.read_text("ascii").splitlines()[1] for path in desk.office.keys.glob("*.key")]
    assert len(private) == 3
    said = "".join(desk.said)
    for secret in (PHRASE, *private):
        assert secret not in said
        assert [path for path in files if secret.encode() in path.read_bytes()] == []
    impersonal = [path for path in files if path.name.startswith(("plan", "receipt", "run.log", "approval"))]
    assert len(impersonal) >= 3, files
    for cell in CELLS:
        assert cell not in said
        assert [path for path in impersonal if cell.encode() in path.read_bytes()] == []


@pytest.mark.slow
def test_what_was_approved_is_sent_and_whatever_differs_is_refused_by_its_name(user: User) -> None:
    with serving(user) as witness:
        desk = Desk(user, witness.base_url, witness.environ)
        settle(desk, apart=True)
        source = user.home / "people.csv"
        lines = rows().splitlines()
        others: list[tuple[list[str], tuple[str, ...]]] = [
            ([*lines[:3], lines[3].replace("Given", "Other"), *lines[4:]], ("'people.csv'", "row 4")),
            ([*lines, lines[1].replace("person0", "person77").replace("L-0", "L-77")], ("1 row more",)),
            ([lines[0], lines[2], lines[1], *lines[3:]], ("the order of the rows",)),
        ]
        for other, names in others:
            with changed(source, "\n".join(other) + "\n"):
                desk.refused(6, *names)
        setting = desk.profile.read_text()
        swap = '[mapping]\nfirstName = "Last Name"\nlastName = "First Name"\n'
        for more, name in ((swap, "mapping.firstName"), ('[validation]\nphone = "valid"\n', "validation.phone")):
            with changed(desk.profile, setting + more):
                desk.refused(6, name, words=("people.csv", *sandbox(desk.profile)))
        copy = user.home / "other"
        shutil.copytree(ROOT / "importer", copy / "importer", ignore=shutil.ignore_patterns("__pycache__"))
        rule = copy / "importer" / "customers" / "emails.py"
        rule.write_text(rule.read_text() + "\n# another rule\n")
        desk.refused(6, "the program's rules (customers)", program=copy)
        desk.refused(6, "the target", words=("--target", "emulator"))
        assert witness.ledger()["customers"] == 0

        sent = desk.types_for_real("run", "--plan", "plan.json", "--json")
        assert sent.code == 0, sent.out
        exactly_once(witness, user.reads(sent.json["files"]["results"]))

    proved = desk.types_for_real("show", "last", "--verify")
    assert proved.code == 0, proved.out
    run = user.home / "runs" / sent.json["run_id"]
    (kept,) = run.glob("plan-*.json")
    for path, found, put in ((kept, '"rows": 7', '"rows": 8'), (run / "receipt.json", '"anna"', '"dora"')):
        text = path.read_text(encoding="utf-8")
        assert found in text, path
        with changed(path, text.replace(found, put)):
            assert desk.types("show", "last", "--verify").code != 0, path
    assert desk.types("show", "last", "--verify").code == 0
    without_traces(desk)


def is_forged(desk: Desk) -> tuple[Path, str]:
    path = desk.user.home / "plan.json"
    return path, path.read_text().replace('"name": "ben"', '"name": "carol"')


def is_above_the_limit(desk: Desk) -> tuple[Path, str]:
    path = desk.office.path
    return path, path.read_text().replace("rows = 50000", f"rows = {ROWS}")


def has_lost_a_key(desk: Desk) -> tuple[Path, str]:
    path = desk.office.path
    head, _, rest = path.read_text().partition("[people.ben]")
    return path, head + rest[rest.index("[people.carol]") :]


@pytest.mark.slow
def test_what_is_not_approved_is_known_without_any_server(user: User) -> None:
    """One office for all of it: its keys and signatures take a dozen commands."""
    desk = Desk(user, "http://127.0.0.1:9", NOBODY)
    settle(desk)
    for harm, why, shown in (
        (is_forged, "signature of carol is not genuine", 5),
        (is_above_the_limit, f"up to {ROWS} customers", 0),
        (has_lost_a_key, "ben is not in the policy", 0),
    ):
        with changed(*harm(desk)):
            seen = desk.types("show", "plan.json")
            assert seen.code == shown, harm
            assert why in " ".join((seen.out + seen.err).split())
            assert "Approved." not in seen.out
            desk.refused(5, why)
    without_traces(desk)
