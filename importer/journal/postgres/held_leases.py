"""The leases that this process holds, and until when it may trust them by its own clock. Speaks to no server.

A host that is cut off from the database goes on sending what it has claimed, unless it stops by itself before its lease
is over: then another host may go on with the same rows. So nothing is sent in the last part of a lease that could not
be renewed.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

_TRUSTED = 2 / 3
"""This part of a lease is used for sending. The rest is for connections that are being made, and for the clocks."""


def clock_s() -> float:
    """Seconds that go on while the host sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(slots=True)
class HeldLease:
    """One lease.

    Args:
        lease_s: how long it lasts after it was renewed, in seconds.
        renewed_s: before it was taken or renewed last, by `clock_s`.
        is_lost: another program has taken it over.
    """

    token: str
    lease_s: float
    renewed_s: float
    is_lost: bool = False


_HELD: defaultdict[str, dict[str, HeldLease]] = defaultdict(dict)
"""Address to the leases there; the process is the owner, as of a file's lock."""


def hold(address: str, lease: HeldLease) -> None:
    """Hold a lease from now on."""
    _HELD[address][lease.token] = lease


def let_go(address: str, lease: HeldLease) -> None:
    """Hold it no more."""
    _HELD[address].pop(lease.token, None)


def held(address: str) -> Sequence[str]:
    """The tokens of the leases that this process holds in a database."""
    return sorted(_HELD[address])


def lost(address: str) -> bool:
    """Whether another program has taken one of them over."""
    return any(lease.is_lost for lease in list(_HELD[address].values()))


def trusted(address: str) -> bool:
    """Whether nobody can have taken one of them over."""
    now = clock_s()
    leases = list(_HELD[address].values())
    return all(not one.is_lost and now < one.renewed_s + _TRUSTED * one.lease_s for one in leases)


def over_for_s(address: str) -> float:
    """For how long the lease that is over for longest has been over, in seconds; less than 0: none is over."""
    now = clock_s()
    return max((now - one.renewed_s - one.lease_s for one in list(_HELD[address].values())), default=-1.0)


def is_silent(address: str, waited_s: float) -> bool:
    """Whether a server that has not answered for so long does not answer at all: no lease could be renewed meanwhile.

    A statement may take long; the leases are renewed beside it.
    """
    now = clock_s()
    leases = list(_HELD[address].values())
    return bool(leases) and all(min(waited_s, now - one.renewed_s) > one.lease_s for one in leases)
