"""The issue codes of checking that every contract has, and those of every contract with groups of rows. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.core.issues import IssueCode

ANY_FIELD = (
    IssueCode(
        "required_missing",
        "A required field is blank",
        "{label} is missing; fill it in, for example {example}.",
        "Fill the blank cells of column {column}.",
        in_profile='give them one value in the profile: `"{field}" = { column = "{column}", default = "..." }`.',
    ),
    IssueCode(
        "too_long",
        "A text is too long",
        "{label} is longer than {max} characters; shorten it.",
        "Shorten the texts in column {column}.",
    ),
    IssueCode.warning(
        "too_long_unconfirmed",
        "A text is unusually long",
        "{label} is longer than {max} characters; the API documents no limit and may refuse it.",
        "Shorten the texts in column {column} if the API refuses them.",
    ),
    IssueCode(
        "text_unreadable",
        "A text holds control characters",
        "{label} holds characters that cannot be shown or sent; type the text again.",
        "Type the cells of column {column} again.",
        in_profile="check the file's encoding: `source.encoding`.",
    ),
    IssueCode.warning(
        "text_damaged",
        "A text lost characters",
        "{label} holds a replacement sign where letters were lost; compare it with the original.",
        "Export the file again as UTF-8: it was saved in another encoding than it was read with.",
        in_profile="set `source.encoding`.",
    ),
    IssueCode(
        "change_forbidden",
        "A value would be changed, and the profile forbids that",
        "{label} would be changed before it is sent, and the profile forbids that; write it as the API wants it, "
        "for example {example}.",
        "Fix column {column}.",
        in_profile='take "{field}" out of `validation.no_change`.',
    ),
    IssueCode.warning(
        "field_not_sent",
        "A value does not belong to this type of customer",
        "{label} does not belong to this type of customer and is not sent.",
        "Clear the cells of column {column} in these rows, or correct the customer type.",
    ),
)
"""What can be wrong with any field."""

DUPLICATE_IN_FILE = IssueCode(
    "duplicate_in_file",
    "The same customer twice in the file",
    "This customer also appears in other rows of this file; keep one of them.",
    "Delete the surplus rows.",
    in_profile='set `validation.duplicates` in the profile: `"first"` keeps the first row, `"allow"` imports them all.',
)

CHECKING_CODES: Mapping[str, IssueCode] = MappingProxyType({one.code: one for one in (*ANY_FIELD, DUPLICATE_IN_FILE)})
"""Code to its entry, in the order of the documentation."""

_OF_UPDATES = (
    IssueCode(
        "no_customer_id",
        "A row that names no customer",
        "This row names no customer: it has neither the id of one nor an external id; fill in one of them.",
        "Fill in the ids, or take the rows out.",
    ),
    IssueCode(
        "nothing_to_update",
        "A row with nothing to change",
        "This row names a customer and nothing to change; fill in what is to change, or take the row out.",
        "Fill in what is to change, or take the rows out.",
    ),
)

UPDATE_CODES: Mapping[str, IssueCode] = MappingProxyType({one.code: one for one in _OF_UPDATES})
"""The codes of rows that change records; a contract whose records can be updated has them beside the others."""

_OF_GROUPS = (
    IssueCode(
        "group_held",
        "Another row of the same business has an error",
        "Another row of the same business has an error; fix that one, and this row goes with it.",
        "Fix the rows that are named; nothing is wrong with these.",
    ),
    IssueCode(
        "group_differs",
        "Rows of one business that contradict each other",
        "The rows of one business say different things about the business itself.",
        "Write the same into all rows of the business, or leave it blank in all but one; contacts may differ.",
    ),
    IssueCode(
        "group_too_large",
        "Too many rows for one business",
        "More than 100 rows are one business by `group_by`.",
        "Look whether they are one business; if not, group by what differs between them, such as an account number.",
    ),
    IssueCode(
        "group_primary_unclear",
        "A mark of the main contact that is neither yes nor no",
        "Whether this is the main contact is neither yes nor no; write yes or no.",
        "Write yes or no into the column of `group_primary`, or leave it blank.",
    ),
)

GROUP_CODES: Mapping[str, IssueCode] = MappingProxyType({one.code: one for one in _OF_GROUPS})
"""The codes of rows that are one record together; a contract with `Groups` has them beside the others."""
