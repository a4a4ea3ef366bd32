"""Texts as numbers, and places of equal ones in a long column, without an object per row. Loads numpy and pandas."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pandas.util import hash_array

_STRETCH = 16_384

Numbers = NDArray[np.uint64]
Places = NDArray[np.intp]


def numbers_of(texts: Sequence[str]) -> array[int]:
    """Make 64 bits of each text, the same in every process; 0 of a blank one."""
    held = np.array(texts, dtype=object)
    numbers = hash_array(held, categorize=False)
    numbers[held == ""] = 0
    return array("q", numbers.tobytes())


def groups(column: Callable[[], array[int]]) -> Iterator[list[int]]:
    """Find the places of equal numbers, each group in row order; zeros are not numbers.

    Takes nine bytes a row while it works, and what the groups themselves take.

    Args:
        column: gives the numbers, anew at every call.
    """
    twice = _twice(np.frombuffer(column(), np.uint64))
    if not twice.size:
        return
    numbers = np.frombuffer(column(), np.uint64)
    places = np.concatenate([_among(numbers, twice, start) for start in range(0, len(numbers), _STRETCH)])
    places = places[np.argsort(numbers[places], kind="stable")]
    values = numbers[places]
    cuts = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(places)]
    for start, end in pairwise(cuts):
        yield places[start:end].tolist()


def _twice(numbers: Numbers) -> Numbers:
    """Find what occurs more than once, in order; puts the numbers themselves in order."""
    numbers.sort()
    twice = np.unique(numbers[1:][numbers[1:] == numbers[:-1]])
    found: Numbers = twice[twice != 0]
    return found


def _among(numbers: Numbers, wanted: Numbers, start: int) -> Places:
    """Find the places, in one stretch, whose number is wanted; stretch by stretch needs no memory."""
    stretch = numbers[start : start + _STRETCH]
    near = np.minimum(np.searchsorted(wanted, stretch), len(wanted) - 1)
    return start + np.flatnonzero(wanted[near] == stretch)
