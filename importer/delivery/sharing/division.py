"""A count is divided by what everybody wants; what is too little for all is shared evenly. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from importer.delivery.sharing.state import Counts, Member

_RESERVE = 0.02
"""This part of a count is kept for those that want nothing, so that they can begin at once."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` requests in any rolling window of `per_s` seconds."""

    count: int
    per_s: float


def share_of(worker: str, present: Mapping[str, Member], limits: Sequence[Limit], first: str = "") -> Counts:
    """What a worker should have of every window: who is left out of the smallest gets nothing of the others either.

    Args:
        present: the workers by name, with this one.
        first: who has a share, where there is less than one for each: whoever probes for all; empty: nobody does.
    """
    shares, named = [0] * len(limits), present
    for place in sorted(range(len(limits)), key=lambda place: limits[place].count):
        count = limits[place].count
        found = _divide(count, {name: _wants(one, place, count) for name, one in named.items()}, present, first)
        if not found[worker]:
            break
        shares[place] = found[worker]
        named = {name: one for name, one in named.items() if found[name]}
    return tuple(shares)


def _wants(member: Member, place: int, count: int) -> float:
    """Whoever waits wants all that there is; whoever does not has enough with what it used lately.

    A worker that alone is cut off from the target waits for its own breaker: it needs no more than a probe.
    """
    if member.is_alone:
        return 1.0
    return float(count) if member.waiting else member.peak[place]


def _divide(count: int, wants: Mapping[str, float], present: Mapping[str, Member], first: str) -> dict[str, int]:
    """Divide a count into whole numbers (max-min fairness).

    Args:
        wants: name to number. Many want the same, and so have the same share: that is found out once.

    Returns:
        Name to number; together they are the count.
    """
    numbers = Counter(wants.values())
    shares = _level(count, numbers, count * _RESERVE // len(wants))
    whole = {want: int(share + _ROUNDING) for want, share in shares.items()}
    parts = {name: whole[want] for name, want in wants.items()}
    if (left := count - sum(parts.values())) > 0:
        losses = {want: round(whole[want] - share, 6) for want, share in shares.items()}
        ranks = sorted([(name != first, losses[want], -_newest(present[name]), name) for name, want in wants.items()])
        for *_, name in ranks[:left]:
            parts[name] += 1
    return parts


def _newest(member: Member) -> int:
    return min(member.grants[-1].counts) if member.grants else 0


def _level(count: float, numbers: Mapping[float, int], reserve: float) -> dict[float, float]:
    """Fill all up evenly; whoever has what it wants takes no more, and what is left then is for everybody.

    Args:
        numbers: how many want each number.
        reserve: nobody gets less, as long as there is enough.
    """
    shares: dict[float, float] = {}
    left, waiting = count, sum(numbers.values())
    for want in sorted(numbers):
        shares[want] = share = min(max(want, reserve), left / waiting)
        left -= share * numbers[want]
        waiting -= numbers[want]
    surplus = left / sum(numbers.values())
    return {want: share + surplus for want, share in shares.items()}
