"""The issue codes of what rows bring for the steps after the create: amounts, beneficial owners, documents. Data only.

As in `codes`, a fix speaks the profile's own syntax.
"""

from __future__ import annotations

from importer.core.issues import IssueCode

STEP_FIELD_CODES = (
    IssueCode(
        "amount_invalid",
        "Not an amount",
        "{label} is not an amount; write a number such as {example}.",
        "Correct the cells of column {column}; clear cells that mean no limit of their own.",
    ),
    IssueCode(
        "amount_negative",
        "A negative amount",
        "{label} is below zero; write an amount such as {example}.",
        "Correct the cells of column {column}.",
    ),
    IssueCode(
        "amount_too_precise",
        "An amount with more than two decimals",
        "{label} has more than two decimals; write it like {example}.",
        "Round the cells of column {column}, or check which sign separates their decimals.",
    ),
    IssueCode(
        "amount_too_large",
        "An amount that is too large",
        "{label} has more than twelve digits before the decimal point; correct it.",
        "Check that column {column} holds amounts, not account numbers.",
    ),
    IssueCode(
        "amount_other_currency",
        "An amount in another currency",
        "{label} names another currency than the limits of its row; all limits of a row are in one.",
        "Write the amounts of a row in one currency.",
        in_profile='take the currency out of column {column} and map it: `"limits.currency" = "..."`.',
    ),
    IssueCode(
        "currency_unknown",
        "Not a currency",
        "{label} is not the code of a currency; write it like {example}.",
        "Write the three-letter codes of ISO 4217 into column {column}.",
    ),
    IssueCode.warning(
        "currency_unusual",
        "A currency that accounts may not have",
        "{label} is neither USD nor CAD, the currencies that accounts are known to have.",
        "Check that the account has a limit in this currency.",
    ),
    IssueCode(
        "percentage_invalid",
        "Not a percentage",
        "{label} is not a number from 0 to 100; write it like {example}.",
        "Correct the cells of column {column}.",
    ),
    IssueCode.warning(
        "percentage_small",
        "A percentage of one or less",
        "{label} is one or less; a quarter is written 25, not 0.25.",
        "Check the cells of column {column}: they may be shares, not percentages.",
    ),
    IssueCode(
        "document_expired",
        "A document that has expired",
        "{label} is in the past; a document that has expired is not accepted.",
        "Ask for a valid document, or clear the cells of this document.",
    ),
    IssueCode(
        "date_in_future",
        "A date that is in the future",
        "{label} is in the future; correct the year.",
        "Correct the cells of column {column}.",
    ),
    IssueCode.warning(
        "document_without_file",
        "A document without its file",
        "{label} is given without a file, so the document is not sent.",
        "Name the file in its column, or leave the cells of this document blank.",
    ),
)
