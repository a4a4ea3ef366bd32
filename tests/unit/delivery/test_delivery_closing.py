"""The end of a window: asked for on time, and not after the work is done."""

from __future__ import annotations

import pytest

from importer.delivery import StopSwitch, closing_at
from tests.lab.virtual_time import VirtualClock, run_virtual


@pytest.mark.parametrize("after_s", [0.0, 0.5, 30.0, 28_800.0])
def test_a_stop_is_requested_at_the_moment(after_s: float) -> None:
    async def main() -> None:
        clock, stop = VirtualClock(), StopSwitch()
        async with closing_at(clock.now() + after_s, stop, clock, "It is six."):
            await stop.wait()
        assert clock.monotonic() == pytest.approx(after_s, abs=0.01)
        assert (stop.reason, stop.message) == ("window", "It is six.")

    run_virtual(main)


@pytest.mark.parametrize("moment_s", [None, 100.0])
def test_work_that_is_done_before_is_not_stopped(moment_s: float | None) -> None:
    async def main() -> None:
        clock, stop = VirtualClock(), StopSwitch()
        async with closing_at(None if moment_s is None else clock.now() + moment_s, stop, clock, ""):
            await clock.sleep(50.0)
        await clock.sleep(100.0)
        assert not stop.requested

    run_virtual(main)


def test_a_reason_that_came_first_stays() -> None:
    async def main() -> None:
        clock, stop = VirtualClock(), StopSwitch()
        stop.request("sigint")
        async with closing_at(clock.now() + 1.0, stop, clock, ""):
            await clock.sleep(2.0)
        assert stop.reason == "sigint"

    run_virtual(main)
