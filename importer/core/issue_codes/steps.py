"""The codes of the steps after a create, and of changes of customers. Data only.

They are warnings: the row's own state stays as it is. One is an error, of rows that are not created for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.core.issues import IssueCode
from importer.core.steps import Step

_ALL = (
    IssueCode.warning(
        "differs_at_target",
        "The customer at the target is not what was sent",
        "",
        "Compare the fields that are named, and correct the customer at the target.",
    ),
    IssueCode.warning(
        "verify_failed",
        "The customer could not be read back",
        "",
        "Read the customers of the run back again later, with `verify`.",
    ),
    IssueCode.warning(
        "beneficiary_failed",
        "A beneficial owner could not be created",
        "",
        "Retry the run. If it fails again, create the owner at the target.",
    ),
    IssueCode.warning(
        "beneficiary_unknown",
        "It is not known whether a beneficial owner was created",
        "",
        "Retry the run: the owner is looked up first.",
    ),
    IssueCode.warning(
        "limits_failed",
        "The limits could not be set",
        "",
        "Retry the run. If it fails again, set the limits at the target.",
    ),
    IssueCode.warning(
        "limit_missing",
        "The account has no such limit",
        "",
        "Ask who runs the target for a limit of this kind and currency, then retry the run.",
    ),
    IssueCode.warning(
        "document_failed",
        "A document could not be uploaded",
        "",
        "Correct the file if the message is about it, and retry the run. Else upload the document at the target.",
    ),
    IssueCode.warning(
        "document_changed",
        "The file of a document is not the one of the plan; it was not sent",
        "",
        "Put the file back as it was, and retry the run; or plan the retry with the file as it is: `plan --retry`.",
    ),
    IssueCode.warning(
        "document_unknown",
        "It is not known whether a document was uploaded",
        "",
        "Look at the customer's documents at the target: they cannot be looked up by a program.",
    ),
    IssueCode.warning(
        "idv_not_ready",
        "The row lacks what identity verification asks for",
        "",
        "Fill in what the message names, and submit the customer at the target.",
    ),
    IssueCode(
        "idv_incomplete",
        "The row is refused, since it lacks what identity verification asks for",
        "",
        "Fill in what the message names.",
        in_profile='set `idv.not_ready = "create"`.',
    ),
    IssueCode.warning(
        "idv_failed",
        "The identity verification could not be submitted, or came to nothing",
        "",
        "Retry the run. If it fails again, submit the customer at the target.",
    ),
    IssueCode.warning(
        "idv_unknown",
        "It is not known whether the target has the identity verification",
        "",
        "Retry the run: the application is looked up first.",
    ),
    IssueCode.warning(
        "idv_blocked",
        "The identity verification waits for a step that failed",
        "",
        "Retry the run: the step that failed is done first.",
    ),
    IssueCode.warning(
        "idv_needs_person",
        "The identity verification asks for a person",
        "",
        "Do at the target what the status asks for, then follow the run.",
    ),
    IssueCode.warning(
        "idv_declined",
        "The identity verification was declined",
        "",
        "Ask who runs the target for the reason.",
    ),
    IssueCode.warning(
        "changed_since",
        "The customer was changed since the list was made; nothing was sent",
        "",
        "Look at the customer at the target, and make the list again.",
    ),
    IssueCode.warning(
        "value_hidden",
        "The customer could not be updated: the API shows a value in part only",
        "",
        "Bring the whole value in the row: an update writes the customer as a whole.",
    ),
    IssueCode.warning(
        "cannot_change",
        "A field that cannot be changed",
        "",
        "Clear the cell, or name another customer.",
    ),
    IssueCode.warning(
        "update_failed",
        "The customer could not be updated",
        "",
        "Correct what the message names, and update again.",
    ),
    IssueCode.warning(
        "update_unknown",
        "It is not known whether the customer was updated",
        "",
        "Update again: the customer is read first.",
    ),
    IssueCode.warning(
        "suspend_failed",
        "The customer could not be suspended",
        "",
        "Apply the plan again, or suspend the customer at the target.",
    ),
    IssueCode.warning(
        "suspend_unknown",
        "It is not known whether the customer was suspended",
        "",
        "Apply the plan again: the customer is read first.",
    ),
    IssueCode.warning(
        "delete_failed",
        "The customer could not be deleted",
        "",
        "Apply the plan again, or delete the customer at the target.",
    ),
    IssueCode.warning(
        "delete_unknown",
        "It is not known whether the customer was deleted",
        "",
        "Apply the plan again: the customer is read first.",
    ),
)

NOT_READY = "Identity verification also asks for {}."
"""The sentence of `idv_not_ready`, with the names of fields."""
BLOCKED = "It was not submitted: a step before it failed."
"""The sentence of `idv_blocked`."""
SAME_PART = "The target shows one for two of this row: they cannot be distinguished, and one may be missing."
"""The sentence of `beneficiary_unknown` for two owners of a row that are one at the target."""
CHANGED_SINCE = "The customer was changed since the list was made; nothing was sent."
"""The sentence of `changed_since`."""

STEP_CODES: Mapping[str, IssueCode] = MappingProxyType({one.code: one for one in _ALL})
"""Every code of a step to its entry; a step that is done again loses them."""

_BEGIN_WITH: Mapping[Step, str | tuple[str, ...]] = {
    Step.BENEFICIARIES: "beneficiary_",
    Step.LIMITS: "limit",
    Step.DOCUMENTS: "document_",
    Step.VERIFICATION: "idv_",
    Step.VERIFY: ("differs_at_target", "verify_failed"),
    Step.UPDATE: ("update_", "changed_since", "value_hidden", "cannot_change"),
    Step.SUSPEND: ("suspend_", "changed_since"),
    Step.DELETE: ("delete_", "changed_since"),
}
CODES_OF_STEP: Mapping[Step, frozenset[str]] = MappingProxyType(
    {step: frozenset(code for code in STEP_CODES if code.startswith(begin)) for step, begin in _BEGIN_WITH.items()}
)
"""The codes of each step."""

OF_THE_ACCOUNT = frozenset({"limit_missing"})
"""What is so for every row that asks for the same: it is said while the run is under way, once."""
