"""Documents under a plan: what is uploaded has the content that was planned, and addresses are said not to be bound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from importer import Profile, plan, run
from importer.core.events import Event
from importer.results import Report
from tests.acceptance import after_create as steps
from tests.acceptance.conftest import User, Witness, serving_here

ROWS = (1, 2, 25)
"""The first and the last one bring a scan."""


@pytest.fixture
def witness(user: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[Witness]:
    with serving_here() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def profile(user: User, witness: Witness) -> Profile:
    steps.source(user, [steps.row(number) for number in ROWS])
    _, path, *_ = steps.profile(user, witness.base_url, steps=("documents = true",))
    return Profile.load(Path(path)).with_options({"workspace": user.home / "runs", "target": "sandbox"})


def uploaded(witness: Witness) -> int:
    return int(witness.ledger()["committed"].get("upload", 0))


def runs(user: User, profile: Profile, *, while_sending: bytes) -> Report:
    """Send by a plan; a scan gets another content once everything was checked."""
    where = plan(user.home / "steps.csv", profile=profile).files["plan"]
    scan = user.home / "scans" / "p25.pdf"

    def change(event: Event) -> None:
        if event.name == "steps_planned":
            scan.write_bytes(while_sending)

    return asyncio.run(run(plan=where, profile=profile, on_event=change))


@pytest.mark.slow
def test_a_document_that_changes_after_the_check_is_not_sent_and_is_sent_by_a_plan_of_its_own(
    user: User, witness: Witness, profile: Profile
) -> None:
    report = runs(user, profile, while_sending=b"%PDF-1.4\nanother one")
    assert (report.exit_code, report.counts["created"]) == (3, 3)
    (cluster,) = [one for one in report.clusters if one.code.startswith("document")]
    assert (cluster.code, cluster.count) == ("document_changed", 1)
    (row,) = [row for row in user.reads(report.files["results"]) if "document" in row["_warnings"]]
    assert row["ID"] == "S-25"
    assert "is not the one of the plan; it was not sent" in row["_warnings"]
    assert uploaded(witness) == 1

    again = user.types("retry", "last", "--config", user.home / "steps.toml", "--json", **witness.environ)
    assert (again.code, uploaded(witness)) == (3, 1)  # no new plan says anything else
    made = user.types("plan", "--retry", "last", "--json", **witness.environ)
    assert made.json["plan"]["documents"] == {"count": 1, "at_addresses": 0}
    where = made.json["files"]["plan"]
    scan = user.home / "scans" / "p25.pdf"
    scan.write_bytes(b"%PDF-1.4\nyet another one")
    refused = user.types("retry", "last", "--plan", where, "--json", **witness.environ)
    assert (refused.code, uploaded(witness)) == (6, 1)
    assert "the files of the documents" in refused.json["error"]

    scan.write_bytes(b"%PDF-1.4\nanother one")
    sent = user.types("retry", "last", "--plan", where, "--json", **witness.environ)
    assert (sent.code, uploaded(witness)) == (0, 2), sent.out
    proved = user.types("show", "last", "--verify", "--json").json["checks"]
    bodies = [one for one in proved if one["what"].startswith("bodies of the plan")]
    assert [one["status"] for one in bodies] == ["ok", "ok"], bodies


@pytest.mark.slow
def test_a_document_that_is_gone_when_its_plan_is_made_is_not_bound_to_whatever_comes_later(
    user: User, witness: Witness, profile: Profile
) -> None:
    runs(user, profile, while_sending=b"")
    scan = user.home / "scans" / "p25.pdf"
    scan.unlink()
    where = user.types("plan", "--retry", "last", "--json", **witness.environ).json["files"]["plan"]
    scan.write_bytes(b"%PDF-1.4\nnobody has seen this")

    refused = user.types("retry", "last", "--plan", where, "--json", **witness.environ)
    assert (refused.code, uploaded(witness)) == (6, 1)


@pytest.mark.slow
def test_documents_at_addresses_are_said_not_to_be_bound(user: User, witness: Witness, profile: Profile) -> None:
    rows = [steps.row(1), steps.row(2, Scan="https://files.example.com/scans/2.pdf", **{"Scan No": "X0000002"})]
    steps.source(user, rows[:1])
    source = user.has(
        "steps.csv", "\n".join([",".join(steps.COLUMNS), *(",".join(one.values()) for one in rows)]) + "\n"
    )
    chosen = profile.with_options({"documents.addresses": ["https://files.example.com/scans"]})

    report = plan(source, profile=chosen)
    said = "1 document at an address is not bound to its content"
    assert said in report.verdict
    shown = user.types("show", report.files["plan"])
    assert f"2, of which {said}" in " ".join(shown.out.split())
    as_json = user.types("show", report.files["plan"], "--json").json
    assert as_json["plan"]["documents"] == {"count": 2, "at_addresses": 1}
    assert "files.example.com" not in json.dumps(json.loads(report.files["plan"].read_text())["content"]["documents"])
