"""A count is divided by what everybody wants; what is too little for all is shared evenly. Pure."""

from __future__ import annotations

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


def divided(present: Mapping[str, Member], limits: Sequence[Limit]) -> dict[str, Counts]:
    """What every worker should have of every window: who is left out of the smallest gets nothing of the others either.

    Args:
        present: the workers by name.
    """
    order = sorted(present, key=lambda name: (-min(_newest(present[name]), default=0), name))
    found: dict[int, dict[str, int]] = {}
    named = present
    for place in sorted(range(len(limits)), key=lambda place: limits[place].count):
        count = limits[place].count
        found[place] = _divide(count, {name: _wants(one, place, count) for name, one in named.items()}, order)
        named = {name: one for name, one in named.items() if found[place][name]}
    return {name: tuple(found[place].get(name, 0) for place in range(len(limits))) for name in present}


def _wants(member: Member, place: int, count: int) -> float:
    """Whoever waits wants all that there is; whoever does not has enough with what it used lately.

    A worker that alone is cut off from the target waits for its own breaker: it needs no more than a probe.
    """
    if member.is_alone:
        return 1.0
    return float(count) if member.waiting else member.peak[place]


def _newest(member: Member) -> Counts:
    return member.grants[-1].counts if member.grants else ()


def _divide(count: int, wants: Mapping[str, float], order: Sequence[str]) -> dict[str, int]:
    """Divide a count into whole numbers (max-min fairness).

    Args:
        wants: name to number.
        order: who is first where a rest is left that cannot be divided; all names.

    Returns:
        Name to number; together they are the count, where anybody is named.
    """
    if not wants:
        return {}
    reserve = count * _RESERVE // len(wants)
    shares = _level(count, {name: max(want, reserve) for name, want in wants.items()})
    surplus = (count - sum(shares.values())) / len(shares)
    return _whole(count, {name: share + surplus for name, share in shares.items()}, order)


def _level(count: float, wants: Mapping[str, float]) -> dict[str, float]:
    """Fill all up evenly; whoever has what it wants takes no more."""
    shares: dict[str, float] = {}
    left = count
    for place, name in enumerate(sorted(wants, key=wants.__getitem__)):
        shares[name] = share = min(wants[name], left / (len(wants) - place))
        left -= share
    return shares


def _whole(count: int, shares: Mapping[str, float], order: Sequence[str]) -> dict[str, int]:
    """Round down, and give the rest to those that lose most of theirs."""
    whole = {name: int(share + _ROUNDING) for name, share in shares.items()}
    left = count - sum(whole.values())
    if left > 0:
        losses = {name: round(whole[name] - shares[name], 6) for name in order if name in shares}
        for name in sorted(losses, key=losses.__getitem__)[:left]:  # which keeps the order of equals
            whole[name] += 1
    return whole
