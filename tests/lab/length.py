"""How long the parts of a story of many workers last, and how much there is to send in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Length:
    """The times of a story, in seconds, and what a seed draws from.

    Args:
        begin_s: before anything happens.
        storm_s: in this time something befalls workers; at some, it goes on for `late_s` more.
        settle_s: until those that began again have their shares; who comes back later is waited for as well.
        calm_s: for so long the use of the rate is measured, while nothing happens.
        least_lines: rows that a worker has under way at least: a share is a whole request per second, so they have to
            outlast the slowest answer, or shares go unused. All of them have to end after the calm.
        rates: requests per second, all workers together.
        lots_per_s: how many lots the rate sends in a second.
        slowest_s: the longest time that a request, or its answer, is on its way.
    """

    begin_s: float
    storm_s: float
    late_s: float
    settle_s: float
    calm_s: float
    least_lines: int
    rates: tuple[int, ...]
    lots_per_s: tuple[int, ...]
    slowest_s: tuple[float, ...]

    @property
    def storm_ends_at(self) -> float:
        """From then on nothing befalls anybody any more."""
        return self.begin_s + self.storm_s

    @property
    def calm_from(self) -> float:
        """The earliest moment from which on the use of the rate is measured."""
        return self.storm_ends_at + self.settle_s


_LONG = Length(3.0, 7.0, 2.0, 8.0, 5.0, 8, (10, 40, 64, 100), (10, 20), (2.5,))
_SHORT = Length(1.0, 4.0, 0.5, 5.5, 3.5, 4, (40, 64, 100), (20, 40), (0.5, 1.0))
_LONG_EVERY = 10


def length_of(seed: int) -> Length:
    """One seed in ten is long, with more rows under way, larger lots and rates down to 10/s."""
    return _SHORT if seed % _LONG_EVERY else _LONG
