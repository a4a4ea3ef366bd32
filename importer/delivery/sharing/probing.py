"""One breaker for all workers: where one opens, the others are held, and one of them probes. Pure.

The prober is another worker than the one whose breaker opened, where another has work: so a worker that alone is cut
off from the target is recognised, goes on probing for itself, and leaves soon. Several may be cut off, as those of one
host are: a prober that finds nothing sound gives way, until each has probed once; next is whoever has just come.
"""

from __future__ import annotations

from importer.delivery.sharing.messages import Breaking, Report
from importer.delivery.sharing.state import Member, State

_IDLE_S = 2.0
"""A prober that has had nothing to send for so long is replaced."""
_TURN_S = 3.0
"""For so long one probes, before another one does that has not yet."""
_NEW = 8
"""Whoever has just come has reported no more often: it has come during the turn of the one before."""


def watch_breaker(state: State, report: Report, now: float, lasts_s: float) -> Breaking:
    """Learn how a worker's breaker is, and say what that worker does."""
    me = state.members[report.worker]
    me.is_open = report.is_open
    if not report.is_open:
        me.is_alone = False
    if state.prober and me.probes_from and report.applied >= me.probes_from and not report.is_open:
        _close(state)
    opens = not state.prober and me.is_open and not me.is_alone and not me.has_left
    if state.prober or opens:
        present = {name: one for name, one in state.present(now, lasts_s).items() if not one.is_alone}
        if opens or not _goes_on(state, present, now):
            _choose(state, present, now, without=state.prober or report.worker)
    return _breaking(state, report, me)


def is_reached(state: State, report: Report, now: float, lasts_s: float) -> bool:
    """Whether one of the others sends, as far as is known."""
    others = (one for name, one in state.present(now, lasts_s).items() if name != report.worker)
    return not state.prober and any(not one.is_alone for one in others)


def _breaking(state: State, report: Report, me: Member) -> Breaking:
    if me.is_alone:
        return "alone"
    if not state.prober:
        return "closed"
    if state.prober != report.worker:
        return "held"
    me.probes_from = me.probes_from or report.number
    return "probes"


def _goes_on(state: State, present: dict[str, Member], now: float) -> bool:
    prober, probed_s = present.get(state.prober), now - state.probing_since
    if prober is None:
        return False
    others = (one for name, one in present.items() if name != state.prober)
    if probed_s >= _TURN_S and any(not one.probes_from and (one.is_open or one.has_work) for one in others):
        return False
    return prober.has_work or probed_s < _IDLE_S


def _choose(state: State, present: dict[str, Member], now: float, without: str) -> None:
    """Another worker with work probes, else whoever has opened; where nobody is left that has, nobody is held."""

    def rank(name: str) -> tuple[bool, bool, bool, bool, str]:
        one = present[name]
        return bool(one.probes_from), one.is_open, not one.has_work, one.number > _NEW, name

    names = sorted(present, key=rank)
    able = [name for name in names if present[name].is_open or (present[name].has_work and name != without)]
    if able:
        state.prober, state.probing_since = able[0], now
    else:
        _end(state)


def _end(state: State) -> None:
    """Nobody probes any more."""
    state.prober = ""
    for member in state.members.values():
        member.probes_from = 0


def _close(state: State) -> None:
    """A prober has found the target sound: whose breaker is open still finds out about itself alone."""
    _end(state)
    state.closings += 1
    for member in state.members.values():
        member.is_alone = member.is_open
