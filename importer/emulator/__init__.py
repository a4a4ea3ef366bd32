"""The local RocketKOR server: real HTTP on loopback, scripted faults, and a ledger of what really arrived.

Tests rely on its ledger, so it shares no code with the importer: a server with our types would have our mistakes. It is
reachable from this machine only, and it is not the vendor's server: where the public documentation is silent it follows
one chosen default, and its error codes begin with `EMU_`, to distinguish them from the vendor's.

Importing this package costs next to nothing; the web server loads when `Emulator` is first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importer.emulator.fault_plan import Faults
from importer.emulator.presets import PRESETS
from importer.emulator.rate_limit import parse_rates
from importer.emulator.settings import EmulatorSettings

if TYPE_CHECKING:
    from importer.emulator.server import Emulator, run_forever

__all__ = ["PRESETS", "Emulator", "EmulatorSettings", "Faults", "parse_rates", "run_forever"]


def __getattr__(name: str) -> Any:
    if name in {"Emulator", "run_forever"}:
        from importer.emulator import server  # noqa: PLC0415 - the web server is heavy, most commands need none

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
