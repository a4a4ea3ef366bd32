"""The first rows as they would be sent: the body of the create, and what the steps after it send."""

from __future__ import annotations

from importer.core.frames import raw_batch
from importer.core.sources import SourceInfo
from importer.profile import Profile
from importer.runs.preview import preview_of_source

COLUMNS = ("First", "Last", "Email", "Phone", "Daily", "Scan")
CELLS = [["Ann"], ["Example"], ["ann@example.com"], ["+1 212 555 0101"], ["1,000.00"], ["x.pdf"]]
MAPPING = {
    "type": {"value": "INDIVIDUAL"},
    "firstName": "First",
    "lastName": "Last",
    "primaryEmail.value": "Email",
    "primaryPhoneNumber.number": "Phone",
    "primaryPhoneNumber.type": {"value": "MOBILE"},
    "limits.daily": "Daily",
    "limits.currency": {"value": "USD"},
}


def shown(**after_create: object) -> dict[str, tuple[str, str]]:
    profile = Profile(mapping=MAPPING).with_options({f"after_create.{key}": on for key, on in after_create.items()})
    sample = raw_batch(0, [2], CELLS, names=COLUMNS)
    (row,) = preview_of_source(profile, SourceInfo("a.csv", "csv", COLUMNS), sample, 1, show_values=True)
    return {one.field: (one.before, one.after) for one in row.fields}


def test_what_a_step_sends_is_shown_beside_the_cell_that_it_comes_from() -> None:
    fields = shown(limits=True)
    assert fields["limits.daily"] == ("1,000.00", "1000.00")
    assert fields["limits.currency"] == ("", "USD")
    assert fields["firstName"] == ("Ann", "Ann")


def test_what_a_step_that_is_off_would_send_is_not_shown() -> None:
    assert [name for name in shown() if name.startswith("limits")] == []
