"""Customers from CSV and Excel files onto the RocketKOR API: nothing lost, nothing twice.

    from importer import Profile, run, validate

    report = validate("customers.xlsx", profile=Profile.load("configs/legacy_crm.toml"))
    outcome = await run("customers.csv", target="sandbox", on_event=print)
    outcome.rows(), outcome.issues()  # pandas DataFrames

Importing this package has no side effects and loads nothing heavy until a name is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importer.api import run, validate
    from importer.errors import ImporterError
    from importer.profile import Profile
    from importer.records import Event
    from importer.results import Report

__all__ = ["Event", "ImporterError", "Profile", "Report", "run", "validate"]

_HOMES = {
    "Event": "importer.records",
    "ImporterError": "importer.errors",
    "Profile": "importer.profile",
    "Report": "importer.results",
    "run": "importer.api",
    "validate": "importer.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # the names are lazy so that `--help` is quick

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
