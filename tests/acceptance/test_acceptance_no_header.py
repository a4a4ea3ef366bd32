"""A file whose first row is a customer: refused with a sentence, and nobody's cells in any message, log or profile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT, User

CASE = ROOT / "tests" / "cases" / "header_error_prints_no_person.csv"
CELLS = [cell for line in CASE.read_text("utf-8").splitlines() for cell in line.split(",")]
OTHER_NAMES = """[mapping]
"firstName" = "Vorname"
"lastName" = "Nachname"
"primaryEmail.value" = "Mail"
"primaryPhoneNumber.number" = "Telefon"
"primaryPhoneNumber.type" = { value = "MOBILE" }
"""
GUARDED = f'[source]\ncolumns = ["Vorname", "Nachname", "Telefon", "Mail"]\n{OTHER_NAMES}'


def hold_no_person(*texts: str) -> None:
    assert [cell for text in texts for cell in CELLS if cell in text] == []


def everything_written(home: Path, *, but: Path) -> str:
    files = (path for path in home.rglob("*") if path.is_file() and path != but and path.suffix != ".csv")
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


@pytest.mark.parametrize("more", ["", "header_row = 1\n"])
@pytest.mark.parametrize(
    "profile", ["[source]\n", f"[source]\n{OTHER_NAMES}", GUARDED, f'[source]\non_drift = "warn"\n{GUARDED[9:]}']
)
@pytest.mark.parametrize("json", [(), ("--json",)])
@pytest.mark.parametrize("command", ["validate", "run"])
def test_a_first_row_that_is_a_customer_is_quoted_nowhere(
    user: User, command: str, json: tuple[str, ...], profile: str, more: str
) -> None:
    source = user.has("customers.csv", CASE.read_text("utf-8"))
    ran = user.types(
        command,
        source,
        "--config",
        user.has("p.toml", profile.replace("[source]\n", f"[source]\n{more}")),
        "--verbose",
        *json,
    )

    assert ran.code == 6, ran.err
    assert re.search("looks like (a customer, not like column names|data)", ran.out + ran.err)
    hold_no_person(ran.out, ran.err, everything_written(user.home, but=source))


def test_init_writes_no_profile_of_a_customer(user: User) -> None:
    source = user.has("customers.csv", CASE.read_text("utf-8"))
    ran = user.types("init", source, "--out", "p.toml")

    assert (ran.code, (user.home / "p.toml").exists()) == (6, False)
    hold_no_person(ran.out, ran.err)


def test_a_night_puts_such_a_file_aside_and_says_why_without_quoting_it(user: User) -> None:
    (user.home / "inbox").mkdir()
    (user.home / "inbox" / "customers.csv").write_text(CASE.read_text("utf-8"))
    profile = user.has("p.toml", f"{OTHER_NAMES}[nightly]\nsettle_s = 0.02\n")
    ran = user.types("nightly", "inbox", "--config", profile, "--target", "emulator", "--json")

    (put,) = (user.home / "inbox" / "failed").iterdir()
    assert (ran.code, ran.json["imports"][0]["fate"]) == (6, "refused"), ran.out
    hold_no_person(ran.out, ran.err, (put / "why.txt").read_text("utf-8"))
