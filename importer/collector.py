"""Python's cyclic garbage collector, kept from looking at the same rows again and again.

Checking, sending and rendering make millions of short-lived objects and no cycles; what is not needed any more is freed
at once, without the collector. Its default is to look for cycles every 700 objects, which was measured at a third
to a half of all the time that a large file took; and while rows are sent, each look at everything stopped the event
loop for 50 ms and more.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 100_000
_YOUNGER = 20


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the collector run rarely, and only over what the block itself makes; as before afterwards.

    Objects that were there before the block are set aside, unless the program did so itself.
    """
    before, setting_aside = gc.get_threshold(), not gc.get_freeze_count()
    if setting_aside:
        gc.freeze()
    gc.set_threshold(_OBJECTS, _YOUNGER, _YOUNGER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if setting_aside:
            gc.unfreeze()
