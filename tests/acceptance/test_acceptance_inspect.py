"""From a strange file to a profile, without reading a manual."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.conftest import SAMPLES, User

ADDRESS = {"streetLine1", "cityName", "stateCode", "zipCode", "countryCode"}
PERSON = {"firstName", "lastName", "primaryEmail.value", "primaryPhoneNumber.number", "primaryPhoneNumber.type"}
MAILING = {f"addresses.mailing.{name}" for name in ADDRESS}
RIGHT = {
    "customers.csv": {"externalId", "type", "dateOfBirth", *PERSON, *MAILING},
    "customers.xlsx": {"externalId", "type", "dateOfBirth", *PERSON, *MAILING},
    "customers_messy.csv": {
        "externalId", "type", "dateOfBirth", *PERSON, *MAILING, *(f"addresses.physical.{name}" for name in ADDRESS)
    },
    "businesses.csv": {
        "externalId", "type", "businessName", "website", *(f"contacts.primary.{name}" for name in PERSON), *MAILING
    },
}  # fmt: skip


@pytest.mark.parametrize("sample", sorted(RIGHT))
def test_inspect_proposes_the_right_mapping_for_every_sample(user: User, sample: str) -> None:
    seen = user.types("inspect", SAMPLES / sample, "--json").json

    fields = [match["field"] for match in seen["mapping"] if match["field"]]
    assert set(fields) == RIGHT[sample]
    assert len(fields) == len(set(fields))
    shown = user.types("inspect", SAMPLES / sample).out
    assert all(field in shown for field in fields)


@pytest.mark.parametrize("sample", sorted(RIGHT))
def test_a_profile_that_init_wrote_gives_the_same_verdicts(user: User, sample: str) -> None:
    before = user.types("validate", SAMPLES / sample, "--json").json
    assert user.types("init", SAMPLES / sample, "--out", "made.toml").code == 0
    after = user.types("validate", SAMPLES / sample, "--config", "made.toml", "--json").json

    # A word that the written map does not know is sent as the default, and said so.
    defaulted = sum(issue["count"] for issue in after["issues"] if issue["code"] == "value_defaulted")
    assert after["counts"]["valid"] == before["counts"]["valid"] + defaulted
    assert defaulted == (1 if sample == "customers_messy.csv" else 0)
    refused = user.types("init", SAMPLES / sample, "--out", "made.toml")
    assert (refused.code, "--force" in refused.err) == (2, True)


def test_the_contract_is_written_as_json_schema(user: User) -> None:
    ran = user.types("template", "--format", "jsonschema")

    assert (ran.code, ran.err) == (0, "Wrote customers.schema.json.\n")
    schema = json.loads((user.home / "customers.schema.json").read_text(encoding="utf-8"))
    assert "primaryPhoneNumber" in json.dumps(schema)
    assert "businessName" in json.dumps(schema)


@pytest.mark.parametrize("kind", ["individual", "business"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_filled_in_template_validates_and_runs(user: User, kind: str, form: str) -> None:
    assert user.types("template", "--type", kind, "--format", form).code == 0
    name = f"{kind}-template.{form}"

    assert user.types("validate", name, "--json").json["counts"] == {"read": 1, "valid": 1, "invalid": 0}
    assert user.types("run", name, "--json").json["counts"]["created"] == 1
