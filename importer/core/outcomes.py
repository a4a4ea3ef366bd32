"""One record on its way: sent, answered, ended.

What is made for every row that is sent is a named tuple: a third of the cost of a frozen dataclass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from importer.core.states import RowState


class EarlierForm(NamedTuple):
    """What may have been sent of a row before it came back fixed; arguments as of `Record`."""

    key: str
    external_id: str
    payload: bytes


class Record(NamedTuple):
    """One valid row, ready to be delivered. Survives pickling.

    Args:
        key: the import key, hex of a keyed hash: the row's identity across runs.
        payload: the request body, UTF-8 JSON.
        in_doubt: an earlier pass may have sent it; it must be looked up before it is sent.
        doubt_since: when that may have happened at the earliest, by the target's clock, seconds since the epoch;
            None when not in doubt.
        doubt_of_other_run: only another run may have sent it, not this one.
        prior_attempts: requests that earlier passes made for this row.
        known_id: the customer that an earlier run created for this key, where somebody wants to know whether it is
            still there; the record is looked up by it and never sent.
        sent_unstamped: the run that may have sent it put no import key into its customers; none there proves nothing.
        earlier: other forms of the row that may have been sent: it is looked up as each of them.
    """

    ordinal: int
    row: int
    key: str
    payload: bytes
    external_id: str = ""
    in_doubt: bool = False
    doubt_since: float | None = None
    doubt_of_other_run: bool = False
    prior_attempts: int = 0
    known_id: str = ""
    sent_unstamped: bool = False
    earlier: tuple[EarlierForm, ...] = ()


class Verdict(StrEnum):
    """What one answer means. The question is always: could the server have acted?"""

    ACCEPT = "accept"
    """Created; the reply carries the customer's id."""
    DUPLICATE = "duplicate"
    """Refused since such a customer exists: look it up and compare."""
    RETRY = "retry"
    """Known not created; the same request may succeed later."""
    REJECT = "reject"
    """Known not created; the same request can never succeed."""
    IN_DOUBT = "in_doubt"
    """May or may not have been created: look before any further send."""
    ABORT = "abort"
    """Known not created; no request of this run can succeed (credentials, role)."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field the API refused; `path` is its name in the profile (`addresses.mailing.zipCode`), empty for the row."""

    path: str
    message: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class RateHint:
    """What the headers of an answer say about the rate limit; None for what they do not say.

    Args:
        limit: requests in a window.
        remaining: what is left of it.
        reset_s: seconds until more is allowed again.
        window_s: the window, in seconds.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_s: float | None = None
    window_s: float | None = None


class Reply(NamedTuple):
    """The answer to one attempt to create a customer, judged.

    Args:
        customer_id: set with ACCEPT, and nowhere else.
        http_status: None when no status line arrived.
        error_code: the API's code as text, or ours (`timeout`, `connection_reset`, …).
        message: a sentence for people about this answer, not about the row's fate, which later looks may settle;
            never the body, never a value that we sent.
        retry_after_s: what the server asked for, in seconds; None when it did not.
        allowance: what its headers said about the rate; None when they said nothing.
        took_s: from the request's start to its answer, in seconds, without any wait for a slot; None: not measured.
        warnings: what is odd about an answer that says yes.
        shared: the failure of a token exchange, the same for all who waited for it: none of them made a request, and
            the pool has learned it (`ports.Limiter.learn`).
    """

    verdict: Verdict
    customer_id: str = ""
    http_status: int | None = None
    error_code: str = ""
    message: str = ""
    field_errors: tuple[FieldError, ...] = ()
    trace_id: str = ""
    retry_after_s: float | None = None
    allowance: RateHint | None = None
    took_s: float | None = None
    shared: bool = False
    warnings: tuple[FieldError, ...] = ()

    @property
    def throttled(self) -> bool:
        """Whether the server asks for fewer requests (429): it is alive, and nothing was done."""
        return self.http_status == 429 and self.verdict is Verdict.RETRY

    @property
    def overloaded(self) -> bool:
        """Whether the server can take no more for the moment (503), be it down or just asked for too much."""
        return self.http_status == 503 and self.verdict in {Verdict.RETRY, Verdict.IN_DOUBT}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer that a look-up returned: its id and its whole body as the API gave it.

    Args:
        created_at: when it was created, by the target's clock, seconds since the epoch; None: not known, or it is not
            known how far that clock is from ours.
    """

    customer_id: str
    body: Mapping[str, Any]
    created_at: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to one look-up: the candidates, or a reply that says why there is none to trust.

    Args:
        allowance: what the headers of the last answer said about the rate; None when they said nothing.
        took_s: the time all its requests took together, in seconds, without any wait for a slot; None: not measured.
    """

    candidates: tuple[Candidate, ...] = ()
    failure: Reply | None = None
    allowance: RateHint | None = None
    took_s: float | None = None


class Attempt(NamedTuple):
    """One request that was made for a row.

    Args:
        number: from 1, over all passes of the run.
        kind: `create` or `find`.
        started_at: seconds since the epoch.
        verdict: for `find`: `accept` when it answered, else the failure's verdict.
    """

    number: int
    kind: str
    started_at: float
    duration_s: float
    verdict: Verdict
    http_status: int | None = None
    error_code: str = ""
    trace_id: str = ""


class Outcome(NamedTuple):
    """How one record ended. Survives pickling.

    Args:
        state: one of the final states.
        errors: code, field, message of what went wrong; empty for created and existing.
        candidates: ids of the customers that could be this row, where it is `unknown`.
        warnings: the same as `errors` for what does not keep a row from being imported.
    """

    ordinal: int
    key: str
    state: RowState
    customer_id: str = ""
    errors: tuple[FieldError, ...] = ()
    http_status: int | None = None
    trace_id: str = ""
    attempts: tuple[Attempt, ...] = ()
    candidates: tuple[str, ...] = ()
    warnings: tuple[FieldError, ...] = ()


class Resent(NamedTuple):
    """One row that was sent more than once although an earlier create may have arrived: to be looked at again.

    Args:
        record: as it was sent; `in_doubt`, since its first send.
        state: how it ended.
        sent_at: when it was sent last, seconds since the epoch, by our own clock.
    """

    record: Record
    state: RowState
    customer_id: str
    sent_at: float


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one claim took from the journal.

    Args:
        records: durably marked as being sent.
        known: rows that ended without a request, since an earlier run created them.
    """

    records: tuple[Record, ...] = ()
    known: tuple[Outcome, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.records or self.known)
