"""What happened to one record so far: its attempts and the last answer. Becomes its outcome."""

from __future__ import annotations

from importer.core.outcomes import Attempt, FieldError, Outcome, Record, Reply, Verdict
from importer.core.states import RowState

_NOT_KNOWN = "It is not known whether the customer was created."
"""What a create without a clear answer has come to."""

_LEFT_IN_DOUBT = Reply(Verdict.IN_DOUBT, error_code="in_doubt", message="An earlier request had no clear answer.")


class Attempts:
    """The attempts of one record in this pass."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.creates = 0
        """Creates that used up the row's patience."""
        self.spared = 0
        """Creates that did not: every row failed in the same way."""
        self.may_have_created = record.in_doubt and not record.doubt_of_other_run
        """Whether a create of this run may have reached the server without a clear answer."""
        self.in_doubt = record.in_doubt
        """Whether any create, of this run or another, may have reached the server without a clear answer."""
        self._first_doubt_at: float | None = None
        self._warnings: tuple[FieldError, ...] = ()
        self._attempts: list[Attempt] = []
        self._last_create: Reply | None = None
        self._doubtful: Reply | None = None

    def add(self, kind: str, reply: Reply, *, started_at: float, duration_s: float, spared: bool = False) -> None:
        """Add one request and its answer; where there was no token, none was made, and nothing is added.

        Args:
            duration_s: as the caller saw it; the target's own measure, where there is one, is without waiting.
            spared: whether it does not count against the row.
        """
        if not reply.shared:
            self._note(kind, reply, started_at=started_at, duration_s=duration_s)
        self._warnings += reply.warnings
        if kind == "create":
            self.creates += not spared
            self.spared += spared
            self._last_create = reply
            if reply.verdict is Verdict.IN_DOUBT:
                self.may_have_created = self.in_doubt = True
                if self._first_doubt_at is None:
                    self._first_doubt_at = started_at
                self._doubtful = reply

    def since(self, server_ahead_s: float | None) -> float | None:
        """The moment before which no customer of this row can have been created, by the target's clock.

        Args:
            server_ahead_s: how far that is ahead of ours, in seconds; None: not known.

        Returns:
            Seconds since the epoch; None: not known.
        """
        if server_ahead_s is None:
            return None
        if self.record.in_doubt:
            return self.record.doubt_since
        return None if self._first_doubt_at is None else self._first_doubt_at + server_ahead_s

    def _note(self, kind: str, reply: Reply, *, started_at: float, duration_s: float) -> None:
        took_s = duration_s if reply.took_s is None else reply.took_s
        self._attempts.append(
            Attempt(
                number=self.record.prior_attempts + len(self._attempts) + 1,
                kind=kind,
                started_at=started_at + duration_s - took_s,
                duration_s=took_s,
                verdict=reply.verdict,
                http_status=reply.http_status,
                error_code=reply.error_code,
                trace_id=reply.trace_id,
            )
        )

    def end(self, state: RowState, *, customer_id: str = "") -> Outcome:
        """The record's outcome, without an error to report."""
        return self._outcome(state, customer_id=customer_id)

    def fail(self, state: RowState, *errors: FieldError, candidates: tuple[str, ...] = ()) -> Outcome:
        """The record's outcome with its errors; by default those of the last answer to a create."""
        return self._outcome(state, errors=errors or self._last_errors(state), candidates=candidates)

    def refused(self) -> Outcome:
        """The record's outcome after a refusal: what became of an earlier create in doubt is still not known."""
        errors = self._last_errors(RowState.REJECTED)
        if not self.in_doubt:
            return self.fail(RowState.REJECTED, *errors)
        earlier = self._doubtful or _LEFT_IN_DOUBT
        doubt = FieldError("", f"{earlier.message} {_NOT_KNOWN}", earlier.error_code)
        return self.fail(RowState.UNKNOWN, doubt, *errors)

    def _last_errors(self, state: RowState) -> tuple[FieldError, ...]:
        reply = (self._doubtful if state is RowState.UNKNOWN else None) or self._last_create
        if reply is None:
            return (FieldError("", "It could not be looked up whether this customer was created.", "look_up_failed"),)
        if state is RowState.UNKNOWN:
            return (FieldError("", f"{reply.message} {_NOT_KNOWN}", reply.error_code),)
        if reply.field_errors:
            return reply.field_errors
        return (FieldError("", reply.message, reply.error_code),)

    def _outcome(
        self,
        state: RowState,
        *,
        customer_id: str = "",
        errors: tuple[FieldError, ...] = (),
        candidates: tuple[str, ...] = (),
    ) -> Outcome:
        last = self._last_create
        return Outcome(
            ordinal=self.record.ordinal,
            key=self.record.key,
            state=state,
            customer_id=customer_id,
            errors=errors,
            http_status=last.http_status if last else None,
            trace_id=last.trace_id if last else "",
            attempts=tuple(self._attempts),
            candidates=candidates,
            warnings=self._warnings,
        )
