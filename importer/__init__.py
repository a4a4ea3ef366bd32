"""Customers from CSV and Excel files onto the RocketKOR API: nothing lost, nothing twice.

    from importer import Profile, plan, read, run, validate

    frame = read("customers.xlsx")  # a pandas DataFrame, to look at and to change
    report = validate(frame, profile=Profile.load("configs/legacy_crm.toml"))
    outcome = await run("customers.csv", target="sandbox", on_event=print)
    outcome.rows(), outcome.issues()  # DataFrames, too

    planned = plan("customers.csv", target="sandbox")  # a dry run that ends in a file, for people to approve
    outcome = await run(plan=planned.files["plan"], target="sandbox")  # exactly that, or PlanRefusedError

What goes wrong is an `ImporterError` (`importer.core.errors`). Importing this package has no side
effects and loads nothing heavy until a name is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importer.core.errors import ImporterError
    from importer.core.events import Event
    from importer.profile import Profile
    from importer.results import Report
    from importer.runs.api import plan, read, run, validate

__all__ = ["Event", "ImporterError", "Profile", "Report", "plan", "read", "run", "validate"]

_HOMES = {
    "Event": "importer.core.events",
    "ImporterError": "importer.core.errors",
    "Profile": "importer.profile",
    "Report": "importer.results",
    "plan": "importer.runs.api",
    "read": "importer.runs.api",
    "run": "importer.runs.api",
    "validate": "importer.runs.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # the names are lazy so that `--help` is quick

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
