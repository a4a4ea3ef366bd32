"""The state of a run for progress displays: counts, rate and time left, from events. Prints nothing."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping

from importer.core.states import FINAL_STATES, RowState
from importer.core.steps import FAILED_STEPS, Step, StepState
from importer.observe.sinks import Data, Sink

_WINDOW_S = 15.0
_SAMPLE_S = 0.5
_WORTH_A_CLOCK_S = 1.0
"""A phase whose end is not known shows from then on how long it has taken."""
_STEPS: Mapping[str, str] = {
    Step.BENEFICIARIES: "Creating beneficial owners",
    Step.LIMITS: "Setting limits",
    Step.DOCUMENTS: "Uploading documents",
    Step.VERIFICATION: "Submitting for verification",
    Step.VERIFY: "Reading back",
    Step.UPDATE: "Updating",
    Step.SUSPEND: "Suspending",
    Step.DELETE: "Deleting",
}
"""The phases after the creates, by their step."""
FOLLOWING = "Waiting for outcomes"
_TIMED = frozenset({"Sending", "Writing results", "Marking the workbook", *_STEPS.values()})
_WHY: Mapping[str, str] = {
    "sigint": " as asked",
    "sigterm": " as asked",
    "window": " at the end of the time allowed",
    "quota": " because the allowance is used up",
    "access": " because access was refused",
    "max_errors": " after too many errors",
    "max_error_rate": " after too many errors",
    "fail_fast": " at the first refusal",
    "breaker": " because the server does not answer",
    "canary": " after unexpected refusals",
}
"""Why a run stops, by the code of the reason."""
_STEPS_APART = (StepState.NEEDS_PERSON, *sorted(FAILED_STEPS))
_SHOWN_APART = tuple(state for state in FINAL_STATES if state is not RowState.CREATED)


_STAGES: Mapping[str, str] = {
    "recount": "Counting the results again",
    "workbook": "Marking the workbook",
    "workbook_saved": "Saving the workbook",
    "report": "Writing the report",
    "receipt": "Writing the receipt",
}
"""The stages after the results, in words."""


class Tally(Sink):
    """Follows one run through its events.

    Args:
        monotonic: seconds that never go backwards.
        now: seconds since the epoch; None: how long outcomes are waited for is not shown.
    """

    def __init__(self, monotonic: Callable[[], float], now: Callable[[], float] | None = None) -> None:
        self._monotonic = monotonic
        self._now = now
        self._steps: Counter[str] = Counter()
        self._until = 0.0
        self._samples: deque[tuple[float, int]] = deque()
        self._retries_again_at = 0.0
        self.states: Counter[str] = Counter()
        self._checked = 0
        self._began_at = monotonic()
        self.phase = "Starting"
        self.note = ""
        self.done = 0
        self.total: int | None = None

    # ------------------------------------------------------------------ events

    def on_batch_loaded(self, data: Data) -> None:
        self._in_phase("Reading", None)
        self._advance(int(data["rows"]))

    def on_source_read(self, data: Data) -> None:
        self._in_phase("Checking", int(data["rows"]))
        self.done = self._checked

    def on_batch_checked(self, data: Data) -> None:
        """Rows are checked while others are still read: until all are read, the number of read rows is shown."""
        self._checked += int(data["rows"])
        self.states[RowState.INVALID] += int(data.get("invalid", 0))
        if self.phase != "Reading":
            self._in_phase("Checking", self.total)
            self._advance(int(data["rows"]))

    def on_rows_checked(self, _: Data) -> None:
        self._in_phase("Comparing the rows", None)

    def on_delivery_started(self, data: Data) -> None:
        self._in_phase("Sending", int(data["total"]))
        self.done = int(data.get("already_done", 0))

    def on_row_settled(self, data: Data) -> None:
        self.states[str(data["state"])] += 1
        self._advance(1)

    def on_steps_started(self, data: Data) -> None:
        self._steps.clear()
        self._in_phase(_STEPS.get(str(data["step"]), "Working"), int(data["total"]))

    def on_step_settled(self, data: Data) -> None:
        state = str(data["state"])
        if self.phase != FOLLOWING:
            self._steps[state] += 1
            self._advance(1)
        elif state != StepState.SUBMITTED:  # else it was looked at, and is as it was
            self._steps[str(data.get("outcome") or state).lower()] += 1
            self.done += 1

    def on_undo_looked(self, data: Data) -> None:
        """Customers are read before they are taken back; the first event names their number."""
        self._in_phase("Reading customers", int(data.get("total") or self.total or 0))
        if data["done"]:
            self._advance(1)

    def on_following(self, data: Data) -> None:
        """Outcomes are waited for; the event may come again with other numbers."""
        if self.phase != FOLLOWING:
            self._steps.clear()
        self._in_phase(FOLLOWING, None)
        self._until = float(data["until"] or 0)
        self.total = self.done + int(data["open"])

    def on_paused(self, data: Data) -> None:
        seconds = float(data.get("seconds") or 0)
        self._retries_again_at = self._monotonic() + seconds
        self.note = f"the server asked for a pause of {seconds:.0f} s"

    def on_stopping(self, data: Data) -> None:
        self._retries_again_at = float("inf")
        self.note = f"stopping{_WHY.get(str(data.get('reason', '')), '')}: finishing requests under way"

    def on_results_started(self, data: Data) -> None:
        self._in_phase("Writing results", int(data["rows"]))
        self.note = ""

    def on_results_written(self, data: Data) -> None:
        self._advance(int(data["rows"]))

    def on_results_stage(self, data: Data) -> None:
        rows = data.get("rows")
        self._in_phase(_STAGES.get(str(data.get("stage")), "Finishing"), None if rows is None else int(rows))

    def on_run_ended(self, _: Data) -> None:
        self.phase = "Done"
        self.note = ""

    # ------------------------------------------------------------------ figures

    @property
    def per_s(self) -> float | None:
        """Rows per second over the last quarter of a minute; None while too little is known."""
        samples = self._samples
        if len(samples) < 2:
            return None
        (began, first), (ended, last) = samples[0], samples[-1]
        return (last - first) / (ended - began)

    @property
    def left_s(self) -> float | None:
        """Seconds until the phase is over at the present rate; None where that is not known."""
        rate = self.per_s
        if self.total is None or not rate:
            return None
        return max(self.total - self.done, 0) / rate

    @property
    def is_finishing(self) -> bool:
        """Whether everything that can be counted is done, and the phase is not over."""
        return self.total is not None and self.done >= self.total and self.phase != "Done"

    def line(self) -> str:
        """Everything in one line of plain text."""
        return " · ".join(part for part in (self._progress(), *self._figures(), self._current_note()) if part)

    # ------------------------------------------------------------------ pieces

    def _in_phase(self, phase: str, total: int | None) -> None:
        self.total = total
        if phase != self.phase:
            self.phase, self.done, self._began_at = phase, 0, self._monotonic()
            self._samples = deque()  # a fresh one: another thread may be drawing from the old

    def _advance(self, rows: int) -> None:
        now = self._monotonic()
        self.done += rows
        if not self._samples or now - self._samples[-1][0] >= _SAMPLE_S:
            self._samples.append((now, self.done))
        while now - self._samples[0][0] > _WINDOW_S and len(self._samples) > 2:
            self._samples.popleft()

    def _progress(self) -> str:
        if self.phase == FOLLOWING and self.total is not None:
            return f"{FOLLOWING}: {max(self.total - self.done, 0):,} open"
        if self.total is None:
            return f"{self.phase} {self.done:,} rows" if self.done else self.phase
        share = ", finishing" if self.is_finishing else f" ({min(round(100 * self.done / self.total), 99)}%)"
        return f"{self.phase} {self.done:,} of {self.total:,}{share}"

    def _figures(self) -> list[str]:
        if self.phase == FOLLOWING:
            came = [f"{count:,} {_in_words(state)}" for state, count in sorted(self._steps.items())]
            return [*came, *([f"{_clock(max(self._until - self._now(), 0))} left"] if self._now is not None else [])]
        counts, shown = (self._steps, _STEPS_APART) if self.phase in _STEPS.values() else (self.states, _SHOWN_APART)
        apart = [f"{counts[state]:,} {_in_words(state)}" for state in shown if counts[state]]
        if self.per_s is not None:
            apart.append(f"{self.per_s:,.1f}/s" if self.per_s < 100 else f"{self.per_s:,.0f}/s")
        if self.left_s is not None and not self.is_finishing and self.phase in _TIMED:
            apart.append(f"{_clock(self.left_s)} left")
        elif self._took_s >= _WORTH_A_CLOCK_S and (self.total is None or self.is_finishing):
            apart.append(_clock(self._took_s))
        return apart

    @property
    def _took_s(self) -> float:
        """How long this phase has taken so far."""
        return self._monotonic() - self._began_at

    def _current_note(self) -> str:
        return self.note if self._monotonic() < self._retries_again_at else ""


def _in_words(state: str) -> str:
    return "need a person" if state == StepState.NEEDS_PERSON else state


def _clock(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
