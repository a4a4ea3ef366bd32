"""The codes of delivery: what went wrong with a valid row. Data only; the API has codes of its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.core.issues import IssueCode, Severity

_ALL = (
    IssueCode(
        "differs_from_existing",
        "The customer exists with other data",
        "",
        "Correct the row, or the customer at the target.",
    ),
    IssueCode(
        "no_such_customer",
        "There is no such customer",
        "",
        "Correct the id or the external id of the row; the account may be another one.",
    ),
    IssueCode(
        "several_existing",
        "Several customers with this data exist",
        "",
        "Compare the customers at the target, and keep one of them.",
    ),
    IssueCode(
        "several_candidates",
        "Several customers could be this row",
        "",
        "Compare the row with the customers that the report names, and keep the right one.",
    ),
    IssueCode(
        "duplicated_at_target",
        "The target holds several customers of this row",
        "",
        "Compare the ids that the report names, and remove all but one; then retry the run.",
    ),
    IssueCode(
        "same_customer",
        "Two rows were answered with one customer",
        "",
        "Ask who runs the target. Retry the run: it looks up which row the customer is.",
    ),
    IssueCode(
        "sent_again",
        "The row was sent more than once",
        "",
        "Nothing has to be done: the row is looked at again later.",
        Severity.WARNING,
    ),
    IssueCode(
        "customer_id_unusual",
        "The customer's id is not a UUID",
        "",
        "Ask who runs the target; such a customer is never asked for by its id.",
        Severity.WARNING,
    ),
    IssueCode(
        "stopped_in_doubt",
        "The run stopped before it was known",
        "",
        "Resume the run: these rows are looked up again.",
    ),
    IssueCode(
        "in_doubt",
        "An earlier request of the row had no clear answer",
        "",
        "Retry the run, or return the row fixed: it is looked up before it is sent again.",
    ),
    IssueCode("look_up_failed", "The look-ups did not answer", "", "Retry the run: these rows are looked up again."),
    IssueCode(
        "differs_from_imported",
        "Created by an earlier run, from other data",
        "",
        "What has changed is not sent: correct the customer at the target.",
        Severity.WARNING,
    ),
    IssueCode(
        "existing_not_found",
        "A customer of an earlier run is not there any more",
        "",
        "Find out who removed it. If it is missed, create it at the target by hand; the importer does not.",
    ),
    IssueCode(
        "possible_duplicate",
        "Perhaps a customer of an earlier run",
        "",
        "Take out the rows whose customer exists already; for the others nothing has to be done.",
        Severity.WARNING,
    ),
    IssueCode(
        "external_id_of_another",
        "The reference belongs to another person",
        "",
        "Correct the references.",
        in_profile="let them decide: `validation.external_id_decides = true`.",
    ),
    IssueCode(
        "imported_before",
        "Created by an earlier run",
        "",
        "Nothing has to be done: it is not sent again.",
        Severity.WARNING,
    ),
)

DELIVERY_CODES: Mapping[str, IssueCode] = MappingProxyType({entry.code: entry for entry in _ALL})
"""Code to its entry; the sentence about a row is made where it happens."""
