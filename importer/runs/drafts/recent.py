"""What takes long to find out is kept in memory as long as it is among the last few things that were asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Recent:
    """Values by their keys; calls may come from several threads, of which two may make the same value.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key, made where it is not held.

        Args:
            make: makes it; what it raises is raised, and nothing is kept.
        """
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                held: T = self._held[key]
                return held
        made = make()
        with self._lock:
            self._held[key] = made
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        return made
