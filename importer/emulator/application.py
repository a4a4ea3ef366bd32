"""One application for identity verification: its states by time, and how the API shows it.

The times of its states are fixed at submission; which state it is in is read off them when somebody asks. A name that
holds DECLINE, REVIEW or DOCUMENTS decides how it ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from importer.emulator.answers import timestamp

STATUSES = (
    "NEW", "PENDING", "PROCESSING", "PENDING_REVIEW", "PENDING_DOCUMENTS", "AWAITING_INFORMATION", "COMPLETED",
    "EXPIRED", "ERROR",
)  # fmt: skip
STATUS_SQL = (
    "CASE WHEN completed_ms <= :now THEN 'COMPLETED' WHEN pending_ms > :now THEN 'NEW'"
    " WHEN processing_ms > :now THEN 'PENDING' WHEN settled_ms > :now OR resumed_ms <= :now THEN 'PROCESSING'"
    " ELSE halt END"
)
"""The same as `history` says last, for filters of lists."""
APPROVED, DECLINED = "Approved", "DECLINED"
"""As the vendor's samples: written in more than one way, so callers compare them in any case."""
_VERIFICATION = {APPROVED: "APPROVED", DECLINED: "DECLINED"}


class Party(NamedTuple):
    """One whom an application is about.

    Args:
        id: of the customer, or of the owner.
        entity_type: INDIVIDUAL, BUSINESS or BENEFICIARY.
        names: as the API shows them.
        steering: the last names that may decide the outcome.
    """

    id: str
    entity_type: str
    names: Mapping[str, str]
    steering: str


class Application(NamedTuple):
    """One application, its columns in the order of the table; times in milliseconds since the epoch.

    Args:
        holder_id: whose document it waits for; empty: nobody's.
        halt: the state in which it waits for a person or a document; empty: none.
        outcome: what it will be once it is completed.
        settled_ms: when the first processing ends.
        resumed_ms: when it went on after a halt; None: it did not.
        completed_ms: None: nothing completes it so far.
        visible_ms: when lists show it.
        parties: whom it is about, as JSON.
    """

    id: str
    account_id: str
    account_type: str
    profile_id: str
    holder_id: str
    halt: str
    outcome: str
    created_ms: int
    pending_ms: int
    processing_ms: int
    settled_ms: int
    resumed_ms: int | None
    completed_ms: int | None
    visible_ms: int
    parties: str


def submitted(
    ids: tuple[str, str, str], parties: Sequence[Party], now_ms: int, length_ms: int, visible_ms: int
) -> Application:
    """Make a new application.

    Args:
        ids: of the application, of the account and of the verification profile.
        parties: the account first.
        length_ms: from the submission to the end, where nothing halts it.
    """
    halt, holder_id = _halt(parties)
    settled_ms = now_ms + length_ms
    declined = any("DECLINE" in party.steering for party in parties)
    return Application(
        *(ids[0], ids[1], f"{parties[0].entity_type}_CUSTOMER", ids[2]),
        holder_id="" if declined else holder_id,
        halt="" if declined else halt,
        outcome=DECLINED if declined else APPROVED,
        created_ms=now_ms,
        pending_ms=now_ms + length_ms // 4,
        processing_ms=now_ms + length_ms // 2,
        settled_ms=settled_ms,
        resumed_ms=None,
        completed_ms=settled_ms if declined or not halt else None,
        visible_ms=visible_ms,
        parties=json.dumps([(party.id, party.entity_type, party.names) for party in parties], ensure_ascii=False),
    )


def _halt(parties: Sequence[Party]) -> tuple[str, str]:
    if any("REVIEW" in party.steering for party in parties):
        return "PENDING_REVIEW", ""
    holder = next((party.id for party in parties if "DOCUMENTS" in party.steering), "")
    return ("PENDING_DOCUMENTS" if holder else ""), holder


def released(application: Application, now_ms: int) -> Application:
    """Let an application go on, or never halt where it has not yet."""
    if now_ms <= application.settled_ms:
        return application._replace(halt="", completed_ms=application.settled_ms)
    length_ms = application.settled_ms - application.created_ms
    return application._replace(resumed_ms=now_ms, completed_ms=now_ms + length_ms)


def history(application: Application, now_ms: int) -> list[tuple[int, str]]:
    """Give the states so far and when each began; the last one is the present one."""
    planned = (
        (application.created_ms, "NEW"),
        (application.pending_ms, "PENDING"),
        (application.processing_ms, "PROCESSING"),
        (application.settled_ms if application.halt else None, application.halt),
        (application.resumed_ms, "PROCESSING"),
        (application.completed_ms, "COMPLETED"),
    )
    return [(at_ms, status) for at_ms, status in planned if at_ms is not None and at_ms <= max(now_ms, planned[0][0])]


def shown(application: Application, now_ms: int) -> dict[str, Any]:
    """Make the object of the API, as it is now."""
    states = history(application, now_ms)
    since_ms, latest = states[-1]
    done = latest == "COMPLETED"
    entities = [
        {"id": party_id, "accountId": application.account_id, "entityType": entity_type, **names}
        | {"status": latest, "outcomeDetails": []}
        | ({"outcome": application.outcome} if done else {})
        for party_id, entity_type, names in json.loads(application.parties)
    ]
    ended = {"outcome": application.outcome, "completedAt": timestamp(since_ms / 1000)} if done else {}
    return {
        "id": application.id,
        "accountId": application.account_id,
        "accountType": application.account_type,
        "identityVerificationProfileId": application.profile_id,
        "latestStatus": latest,
        "entities": entities,
        "statusHistory": [{"status": status, "createdAt": timestamp(at_ms / 1000)} for at_ms, status in states],
        "createdAt": timestamp(application.created_ms / 1000),
        **ended,
    }


def verification_status(application: Application, now_ms: int) -> dict[str, Any]:
    """Make the `verificationStatus` of the account, as it follows from its newest application."""
    since_ms, latest = history(application, now_ms)[-1]
    status = {"COMPLETED": _VERIFICATION[application.outcome], "PENDING_REVIEW": "REVIEW"}.get(latest, "PROCESSING")
    author = {"id": "", "type": "internal"}
    return {"status": status, "reason": "", "updatedAt": timestamp(since_ms / 1000), "updatedBy": author}
