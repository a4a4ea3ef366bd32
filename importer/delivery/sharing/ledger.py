"""The rate, pauses, the breaker, outcomes, late arrivals and the stop of all workers that send together. Pure.

Every window's count is divided. What may be in force at all workers together never is more than the count:
- a share lasts for a few seconds from when its worker asked, by that worker's clock; it counts here from the answer on,
  and until its end and a whole window have passed, unless the worker has reported that it applies a later one;
- a worker that has a smaller share now counts for what its windows still hold;
- whoever asks gets no more than all others together leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from importer.delivery.sharing.division import Limit, share_of
from importer.delivery.sharing.messages import GOES_ON, Allowed, Report, StopReason
from importer.delivery.sharing.probing import is_reached, watch_breaker
from importer.delivery.sharing.state import Counts, Grant, Member, State, added, read_state, state_text

LASTS_S = 3.0
"""How long a share lasts after it was asked for, in seconds: several exchanges."""
_MARGIN_S = 0.5
"""By so much longer it counts: for requests on their way, and clocks that do not run alike."""
_FORGETTING = 0.5
"""What is left of a peak with every report."""
_SUPERSEDED = StopReason("superseded", "Another program sends to this account now.")


class Moment(NamedTuple):
    """By the ledger's own clock, in seconds; `server` changes where it may have lost what it knew last."""

    now: float
    server: str = ""


def exchange(text: str | None, report: Report, moment: Moment, limits: Sequence[Limit]) -> tuple[str, Allowed]:
    """Take a worker's report, and say what it may do.

    Args:
        text: what this function returned last, as text; None: it was never called.
        limits: those that are shared; every worker has the same ones.
    """
    state, allowed = answer(read_state(text), report, moment, limits)
    return state_text(state), allowed


def answer(state: State, report: Report, moment: Moment, limits: Sequence[Limit]) -> tuple[State, Allowed]:
    """Do the same with a state that is at hand, which is changed."""
    state = _opened(state, report, moment, limits)
    if report.sending != state.sending:
        return state, Allowed(report.number, (0,) * len(limits), 0.0, stop=_SUPERSEDED)
    member = state.members.setdefault(report.worker, Member())
    if report.number <= member.number:  # it was late: a newer one was here before
        return state, Allowed(report.number, (0,) * len(limits), 0.0)
    _take(state, member, report, moment.now, _window_s(limits))
    breaking = watch_breaker(state, report, moment.now, LASTS_S)
    _hear_stop(state, report)
    others = state.others(report.worker)
    allowed = Allowed(
        report.number,
        _granted(state, report, moment.now, limits, others),
        LASTS_S,
        pause_s=max(0.0, state.paused_until - moment.now),
        settled=sum([one.settled for one in others]),
        bad=sum([one.bad for one in others]),
        latest_s=state.latest_s,
        stop=state.stop,
        breaking=breaking,
        closings=state.closings,
        is_reached=is_reached(state, report, moment.now, LASTS_S),
    )
    return state, allowed


def _opened(state: State, report: Report, moment: Moment, limits: Sequence[Limit]) -> State:
    """Begin anew where another sending begins, or where the ledger may not know its newest answers."""
    if report.begins and report.sending != state.sending:
        counts_until = max((one.until for one in state.members.values()), default=0.0)
        state = State(report.sending, state.server, max(state.held_until, counts_until))
    if state.server != moment.server:
        if state.server:
            state.held_until = moment.now + LASTS_S + _window_s(limits)
            for member in state.members.values():
                member.grants, member.until, member.seen = [], 0.0, min(member.seen, moment.now)
        state.server = moment.server
    return state


def _window_s(limits: Sequence[Limit]) -> float:
    """For how long a request counts."""
    return max((one.per_s for one in limits), default=0.0) + _MARGIN_S


def _take(state: State, member: Member, report: Report, now: float, window_s: float) -> None:
    """Remember what a worker reports."""
    member.number, member.seen = report.number, now
    member.grants = [one for one in member.grants if one.number == report.applied and not report.leaves]
    member.used = report.used
    member.until = max([now + window_s, *(one.until for one in member.grants)])
    before = member.peak or (0.0,) * len(report.used)
    member.peak = tuple(max(used, peak * _FORGETTING) for used, peak in zip(report.used, before, strict=True))
    member.waiting, member.in_flight = report.waiting, report.in_flight
    member.settled, member.bad = report.settled, report.bad
    member.has_left = report.leaves
    state.paused_until = max(state.paused_until, now + report.pause_s)
    state.latest_s = max(state.latest_s, report.latest_s)


def _hear_stop(state: State, report: Report) -> None:
    """The first reason stays; a worker that does not reach the target gives up for itself."""
    if not state.stop.reason and not (report.is_open and report.stop.reason == "breaker"):
        state.stop = report.stop if report.stop.reason else GOES_ON


def _granted(state: State, report: Report, now: float, limits: Sequence[Limit], others: Sequence[Member]) -> Counts:
    """Give a worker what it should have of every window, as far as the others leave it."""
    member = state.members[report.worker]
    nothing = (0,) * len(limits)
    if report.leaves or now < state.held_until:
        return nothing
    taken = added([one.in_force(now) for one in others], len(limits))
    should = share_of(report.worker, state.present(now, LASTS_S), limits, state.prober)
    counts = tuple(max(0, min(due, limit.count - held)) for due, limit, held in zip(should, limits, taken, strict=True))
    counts = counts if all(counts) else nothing  # one that is empty makes the others useless
    member.until = now + LASTS_S + _window_s(limits)
    member.grants.append(Grant(report.number, counts, member.until))
    return counts
