"""What was handed out for fixing comes back to the run that it came from: nobody twice, nobody lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.acceptance.conftest import User, Witness, people, sandbox


def test_a_run_is_taken_up_again_without_naming_its_profile_or_its_target(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    source = user.has(
        "people.csv",
        "Who,Surname,Mail,Tel\nAnn,Doe,ann@example.com,212-555-0101\nBea,Roe,bea@example.com,212-555-0102\n",
    )
    mapping = '[mapping]\n"firstName" = "Who"\n"lastName" = "Surname"\n"primaryEmail.value" = "Mail"\n'
    mapping += '"primaryPhoneNumber.number" = "Tel"\n"primaryPhoneNumber.type" = { value = "MOBILE" }\n'
    profile = profile_for(witness, more=mapping)
    first = user.types("run", source, *sandbox(profile), "--limit", "2", "--json", **witness.environ)
    profile.unlink()

    for command in ("resume", "retry", "export"):
        again = user.types(command, first.json["run_id"], "--json", **witness.environ)
        assert (again.code, again.json["target"], again.json["counts"]["created"]) == (0, "sandbox", 2), again.out


def test_a_run_goes_to_no_other_target(user: User, witness: Witness, profile_for: Callable[..., Path]) -> None:
    source = user.has("people.csv", people(1))
    user.types("run", source)

    ran = user.types("retry", "last", *sandbox(profile_for(witness)), **witness.environ)

    assert (ran.code, "--as-new" in ran.err) == (2, True)
    assert witness.ledger()["customers"] == 0


def test_a_live_target_is_asked_about_again_and_its_key_never_kept(user: User, witness: Witness) -> None:
    source = user.has("people.csv", people(1))
    profile = user.has("live.toml", f'[targets.live]\nbase_url = "{witness.base_url}"\n')
    where = ("--config", profile, "--target", "live", "--yes")
    run_id = user.types("run", source, *where, "--json", **witness.environ).json["run_id"]

    refused = user.types("retry", run_id, **witness.environ)
    agreed = user.types("retry", run_id, "--yes", "--json", **witness.environ)

    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert (agreed.code, agreed.json["target"]) == (0, "live")
    journal = (user.home / "runs" / "journal.sqlite3").read_bytes()
    assert witness.environ["ROCKETKOR_API_KEY"].encode() not in journal
    assert witness.environ["ROCKETKOR_API_SECRET"].encode() not in journal
