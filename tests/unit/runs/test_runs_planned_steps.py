"""What a profile has done after a create, in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from importer.core.errors import ProfileError
from importer.profile import Profile
from importer.runs.planned_steps import planned_steps

LIMITS = ("limits.daily", "limits.monthly", "limits.currency")


def profile(mapping: dict[str, Any] | None = None, **after_create: Any) -> Profile:
    given = {f"after_create.{key}": value for key, value in after_create.items()}
    return Profile(mapping=mapping or {}).with_options(given)


def test_every_step_is_named_with_what_is_mapped_for_it() -> None:
    chosen = profile({"limits.currency": {"value": "USD"}}, limits=True, verify=True, identity_verification="Standard")
    assert planned_steps(chosen, ("firstName", *LIMITS)) == (
        "After the create: limits (daily, monthly in USD), verification by 'Standard', reading back."
    )


def test_a_currency_of_a_column_is_not_named() -> None:
    assert planned_steps(profile(limits=True), LIMITS) == "After the create: limits (daily, monthly)."


def test_owners_and_documents_are_steps_as_soon_as_they_are_mapped() -> None:
    mapped = ("beneficiaries.1.firstName", "beneficiaries.1.lastName", "beneficiaries.2.lastName")
    assert planned_steps(profile(), mapped) == "After the create: up to 2 beneficial owners."
    scans = ("documents.passport.file", "documents.passport.number")
    assert planned_steps(profile(), scans) == "After the create: documents (passport)."


def test_what_is_mapped_for_nothing_is_named() -> None:
    assert planned_steps(profile(), LIMITS) == (
        "The columns of limits are not used: set after_create.limits = true to set them after the create."
    )
    assert planned_steps(profile(verify=True, documents=False), ("documents.passport.file",)) == (
        "After the create: reading back. The columns of documents are not used: set after_create.documents = true to "
        "upload them after the create."
    )


def test_without_steps_nothing_is_said() -> None:
    assert planned_steps(profile(), ("firstName", "lastName")) == ""


def test_a_step_that_is_not_possible_is_refused() -> None:
    with pytest.raises(ProfileError, match="no column is mapped to a limit"):
        planned_steps(profile(limits=True), ("firstName",))
