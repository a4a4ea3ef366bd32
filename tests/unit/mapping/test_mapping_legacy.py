"""The example of a mapping that is shipped with the product does what its remarks say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from importer.core.frames import raw_batch
from importer.core.sources import SourceInfo
from importer.customers.contract import CUSTOMERS
from importer.mapping import Table, build_mapper
from importer.profile import Profile

LEGACY = Path(__file__).parents[3] / "configs" / "legacy_crm.toml"
ROW = {
    "Legacy ID": "L-0042",
    "Full Name": "Green, Sarah",
    "Phone": "202 555 0101",
    "Phone Type": "Office",
    "Email": "Sarah.Green@Example.com",
    "DOB": "06/26/1990",
    "House No": "12",
    "Street": "Elm Street",
    "City": "Springfield",
    "State": "il",
    "Zip": "62701-1234",
}


def test_the_legacy_profile_maps_an_old_export() -> None:
    profile = Profile.load(LEGACY, environ={})
    mapper = build_mapper(
        CUSTOMERS,
        profile.mapping,
        Table(SourceInfo("x.csv", "csv", tuple(ROW))),
        today=date(2026, 11, 22),
        source=profile.source,
        validation=profile.validation,
    )
    mapper.decide()

    mapped = mapper.map(raw_batch(0, [2], [[cell] for cell in ROW.values()], names=list(ROW)))

    assert mapped.issues == ()
    assert mapped.frame.iloc[0].to_dict() == {
        "type": "INDIVIDUAL",
        "externalId": "L-0042",
        "firstName": "Sarah",
        "lastName": "Green",
        "primaryPhoneNumber.number": "202 555 0101",
        "primaryPhoneNumber.type": "WORK",
        "primaryEmail.value": "sarah.green@example.com",
        "dateOfBirth": "1990-06-26",
        "addresses.mailing.streetLine1": "12 Elm Street",
        "addresses.mailing.cityName": "Springfield",
        "addresses.mailing.stateCode": "IL",
        "addresses.mailing.zipCode": "62701-1234",
        "addresses.mailing.countryCode": "USA",
        "metadata.legacySystem": "crm-2009",
    }
