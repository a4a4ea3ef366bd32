"""The plan of an import: what it is compared with, and every difference by its name."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from importer.core.contract import contract_of
from importer.core.errors import PlanRefusedError, UsageError
from importer.core.plans import Role, Signature
from importer.profile import KeptProfile, Profile
from importer.runs.plans.bodies import BodyHashes
from importer.runs.plans.import_plan import ImportContent, ImportPlan, KnownRows, PlannedDocuments, PlannedSource
from importer.runs.plans.kinds import read_plan
from importer.runs.plans.plan_file import require_replaceable
from importer.runs.plans.rules import ProgramRules, rules_of

RULES = ProgramRules(parts={"customers": "c1", "validation": "v1"}, libraries={"phonenumbers": "9.0.1"})
PROFILE = Profile.load(options={"mapping": {"firstName": "First"}, "validation": {"phone": "valid"}}, environ={})


def hashes(names: str) -> BodyHashes:
    return BodyHashes.of([sha256(name.encode()).digest() for name in names], range(2, 2 + len(names)))


def content(**other: Any) -> ImportContent:
    fields: dict[str, Any] = {
        "source": PlannedSource(name="a.csv", path="/a.csv", sha256="a" * 64, rows=3),
        "kept": KeptProfile(settings=PROFILE.settings_to_keep()).model_dump(mode="json"),
        "rules": RULES,
        "counts": {"read": 3, "valid": 3, "invalid": 0},
        "bodies": hashes("abc"),
        "known": KnownRows(count=0, sha256="0" * 64),
    }
    return ImportContent(**{**fields, **other})


def a_plan(rows: int = 3, **other: Any) -> ImportPlan:
    """A plan of so many customers."""
    facts: dict[str, Any] = {
        "run_id": "20261130T000000Z-abcdef", "made_at": 1.0, "expires_at": 2.0, "author": "ann@host",
        "target": "sandbox", "host": "api.example.com", "scope": "api.example.com#main", "rows": rows,
        "content": content(bodies=hashes(("abc" * rows)[:rows])),
    }  # fmt: skip
    return ImportPlan(**{**facts, **other}).sealed()


def test_a_plan_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    a_plan().write(tmp_path / "plan.json")

    assert read_plan(tmp_path / "plan.json") == a_plan()
    assert a_plan().root == hashes("abc").root


def signed(plan: ImportPlan, role: Role) -> ImportPlan:
    return plan.signed(
        Signature(role=role, name="ben", key=f"ed25519:{'A' * 43}=", signed_at=1.0, signature="c2lnbmVk")
    )


def test_a_plan_that_somebody_has_approved_is_replaced_by_no_other_plan(tmp_path: Path) -> None:
    path, approved, other = tmp_path / "plan.json", signed(a_plan(), "approver"), a_plan(rows=2)
    approved.write(path)

    with pytest.raises(UsageError, match=r"plan\.json' is a plan that ben has approved"):
        other.write(path)
    with pytest.raises(UsageError, match="ben has approved"):
        require_replaceable(path)

    assert read_plan(path) == approved
    signed(approved, "author").write(path)
    assert len(read_plan(path).signatures) == 2
    other.write(path, instead=True)
    assert read_plan(path) == other


def test_a_plan_that_nobody_but_its_author_has_signed_is_replaced(tmp_path: Path) -> None:
    signed(a_plan(), "author").write(tmp_path / "plan.json")

    a_plan(rows=2).write(tmp_path / "plan.json")

    assert read_plan(tmp_path / "plan.json").rows == 2


@pytest.mark.parametrize("text", ['{"format": "x", "sha256": ""}', '{"format": 1, "sha256": 2, "signatures": [3]}'])
def test_what_only_looks_like_a_plan_is_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)

    a_plan().write(tmp_path / "plan.json")

    assert read_plan(tmp_path / "plan.json") == a_plan()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"job": "other"}', '{"job": ["import"]}', '{"job": "import"}', "[" * 99_999]
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)

    with pytest.raises(PlanRefusedError, match="is not a plan"):
        read_plan(tmp_path / "plan.json")


def test_a_plan_that_was_edited_is_refused(tmp_path: Path) -> None:
    a_plan().model_copy(update={"rows": 4}).write(tmp_path / "plan.json")

    with pytest.raises(PlanRefusedError, match="was edited"):
        read_plan(tmp_path / "plan.json")


def test_a_plan_that_says_another_number_of_customers_than_it_is_of_is_refused(tmp_path: Path) -> None:
    a_plan(content=content(bodies=hashes("abcd"))).write(tmp_path / "plan.json")

    with pytest.raises(PlanRefusedError, match="is 3, and it is of 4"):
        read_plan(tmp_path / "plan.json")


def test_counts_that_are_not_those_of_the_bodies_are_a_difference() -> None:
    fewer = hashes("abc").model_copy(update={"count": 2})

    assert content(bodies=fewer).differences(content()) == ["the number of bodies (2 or 3)"]
    assert content(counts={"read": 1}).differences(content()) == ["the counts that the plan shows"]


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({}, []),
        ({"source": PlannedSource(name="b.csv", path="/b.csv", sha256="a" * 64, rows=3)}, []),
        (
            {"source": PlannedSource(name="b.csv", path="/b.csv", sha256="b" * 64, rows=3)},
            ["the file (the plan is of 'a.csv', and this is 'b.csv')"],
        ),
        ({"source": PlannedSource(name="a.csv", path="/b/a.csv", sha256="b" * 64, rows=3)}, ["the content of 'a.csv'"]),
        (
            {"source": PlannedSource(name="a.csv", path="/a.csv", sha256="a" * 64, rows=3, sheet="Two")},
            ["the sheet (then '', now 'Two')"],
        ),
        ({"bodies": hashes("abX")}, ["row 4"]),
        ({"bodies": hashes("abcd")}, ["1 row more"]),
        ({"bodies": hashes("bac")}, ["the order of the rows (rows 2 to 3)"]),
        (
            {"known": KnownRows(count=2, sha256="1" * 64)},
            ["the customers that are known from earlier runs (then 0, now 2)"],
        ),
        ({"documents": PlannedDocuments(count=1, sha256="d" * 64)}, ["the files of the documents"]),
        ({"documents": PlannedDocuments(count=1, at_addresses=1)}, ["the files of the documents"]),
        (
            {"rules": ProgramRules(parts={"customers": "c1", "validation": "v2"}, libraries={"phonenumbers": "9.0.2"})},
            ["the program's rules (validation; phonenumbers 9.0.1, now 9.0.2)"],
        ),
        (
            {"kept": {**content().kept, "orders": {"dateOfBirth": "mdy"}, "columns": ["a"]}},
            ["the mapping of dateOfBirth", "the columns that the function of the profile makes"],
        ),
    ],
)  # fmt: skip
def test_every_difference_is_named(now: dict[str, Any], said: list[str]) -> None:
    assert content().differences(content(**now)) == said


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"mapping": {"firstName": "Given"}}, "mapping.firstName"),
        ({"validation.phone": "possible"}, "validation.phone"),
        ({"source.limit": 5}, "source.limit"),
        ({"delivery.on_existing": "update"}, "delivery.on_existing"),
        ({"delivery.import_key_metadata": "key"}, "delivery.import_key_metadata"),
        ({"after_create.verify": True}, "after_create.verify"),
        ({"idv.not_ready": "refuse"}, "idv.not_ready"),
        ({"documents.folder": "scans"}, "documents.folder"),
    ],
)
def test_a_profile_that_sends_something_else_is_refused(options: dict[str, Any], key: str) -> None:
    with pytest.raises(PlanRefusedError, match=key):
        a_plan().require_profile(PROFILE.with_options(options))


def test_what_only_decides_the_pace_may_be_other() -> None:
    options = {
        "delivery.rate": "1/s",
        "delivery.concurrency": 2,
        "delivery.max_errors": 1,
        "after_create.follow_up": "1s",
    }

    a_plan().require_profile(PROFILE.with_options(options))


def test_options_of_now_go_before_what_a_plan_has_kept() -> None:
    settings = a_plan().content.kept["settings"]

    assert Profile.load(environ={}).over(settings, "run").sends_otherwise(settings) == []
    limited = Profile.load(options={"source.limit": 1}, environ={}).over(settings, "run")
    assert limited.sends_otherwise(settings) == ["source.limit"]


def test_the_rules_are_those_of_the_files_of_the_program() -> None:
    contract = Profile().contract

    assert rules_of(contract) == rules_of(contract)
    assert {"readers", "mapping", "validation", "customers", "contract"} == set(rules_of(contract).parts)
    assert {"python", "pydantic", "phonenumbers", "pandas"} <= set(rules_of(contract).libraries)


@pytest.mark.usefixtures("club_site")
def test_the_rules_of_another_contract_are_those_of_its_package() -> None:
    assert set(rules_of(contract_of("club")).parts) - set(rules_of(contract_of("rocketkor")).parts) == {
        "tests.toy_target.contract"
    }
