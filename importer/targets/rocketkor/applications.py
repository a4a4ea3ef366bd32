"""Applications for identity verification: which of them is the one that is looked for (API facts, section 10).

The list knows no filter by account, so applications are compared here. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from importer.core.step_tasks import StepTask
from importer.targets.rocketkor.pages import Entries, created_at, day_before, query_of

CLOCKS_S: Final = 300.0
"""Two clocks may be so far apart in a look-up, beside the difference that is known, in seconds."""


class Look(NamedTuple):
    """What an application must be to be the one that is looked for.

    Args:
        since: the moment after which it was made, by the API's clock, seconds since the epoch; None: not known.
        day: the first UTC day (`yyyy-MM-dd`) it can have been made on; empty: not known.
    """

    customer_id: str
    profile_id: str
    since: float | None = None
    day: str = ""

    def query(self, page: int) -> str:
        """Return the query string for one page, the newest applications first."""
        days = {"createdDateFrom": self.day, "timeZone": "UTC"} if self.day else {}
        return query_of({"identityVerificationProfileId": self.profile_id, **days}, "createdAt,DESC", page)

    def matches(self, application: Mapping[str, Any]) -> bool:
        """Return whether an application is the one; the list was asked for this profile alone."""
        profile = _first(application, "identityVerificationProfile", "profile")
        return self.customer_id in accounts_of(application) and profile in {"", self.profile_id}

    def is_older(self, application: Mapping[str, Any]) -> bool:
        """Return whether an application is known to have been made before."""
        moment = created_at(application)
        return moment is not None and self.since is not None and moment < self.since

    def is_last(self, listed: Entries) -> bool:
        """Return whether all that follows is older: what was listed runs from new to old, and its end is too old."""
        applications = list(listed.values())
        moments = [created_at(one) or 0.0 for one in applications]
        falls = moments[0] > moments[-1] and sorted(moments, reverse=True) == moments
        return falls and self.is_older(applications[-1])


def look_for(task: StepTask, profile_id: str, server_now: float | None, ahead_s: float) -> Look:
    """Say what to look for.

    Args:
        server_now: seconds since the epoch by the API's clock; None: that is not known, and no moment is asked for.
        ahead_s: how far that is ahead of ours, in seconds.
    """
    if server_now is None or task.doubt_since is None:
        return Look(task.customer_id, profile_id)
    since = min(task.doubt_since, server_now)
    margin_s = CLOCKS_S + abs(ahead_s)  # that clock may not have been known when the moment was noted
    return Look(task.customer_id, profile_id, since - margin_s, day_before(since))


def accounts_of(application: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids of all accounts that an application names: its own, and those of its entities."""
    entities = application.get("entities")
    holders = [application, *(entities if isinstance(entities, list) else ())]
    return frozenset(_first(one, "account") for one in holders if isinstance(one, dict)) - {""}


def _first(one: Mapping[str, Any], *names: str) -> str:
    """Return the id that an object gives to one of the names, as `nameId`, as `name` or inside it; empty: none."""
    for name in names:
        value = one.get(f"{name}Id", one.get(name))
        value = value.get("id") if isinstance(value, dict) else value
        if isinstance(value, str | int) and str(value).strip():
            return str(value).strip()
    return ""
