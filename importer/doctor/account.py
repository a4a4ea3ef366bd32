"""Whose the API key is, as far as the workspace knows."""

from __future__ import annotations

from importer.core.errors import ImporterError, UnknownAccountError
from importer.doctor.finding import Finding
from importer.profile import Profile
from importer.runs.accounts import account_on_record
from importer.runs.wiring import Destination


def check_account(profile: Profile, where: Destination | None) -> tuple[str, list[Finding]]:
    """Look whether a run would ask whose the key is.

    Returns:
        The scope that a run would send to, empty when that is not known; and what is wrong.
    """
    if where is None:
        return "", []
    try:
        found = account_on_record(profile.workspace, where)
    except UnknownAccountError as error:
        return where.scope, [] if profile.account_of else [Finding.from_error("account", error)]
    except ImporterError:
        return where.scope, []  # the checks of the workspace say what is wrong with it
    return found.called_before or found.scope, []
