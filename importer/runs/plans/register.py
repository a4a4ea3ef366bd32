"""Plans of a team: every host sees which of them wait to be sent, and who has signed them. Judges none.

People sign files, as everywhere. The journal of a team has a copy of each, with the signatures that were made on any of
its hosts, and writes it as a file again. Beside a journal that is a file, the plans are in the workspace themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from importer.core.atomic_files import storage_error
from importer.core.errors import PlanRefusedError, UsageError
from importer.journal import Journal, Location, open_journal

if TYPE_CHECKING:
    from importer.runs.plans.plan_file import PlanFile

_FOLDER = "plans"
_SHOWN = 8
_BEGINNING = re.compile(rf"[0-9a-f]{{{_SHOWN},64}}")


def register(workspace: Path, plan: PlanFile) -> None:
    """Have the team of a workspace, if any, see a plan with its signatures, beside those that are known of it.

    Raises:
        JournalError: the journal cannot be written.
    """

    def merged(known: bytes | None) -> bytes:
        signed = plan
        for one in _read(known).signatures if known else ():
            if (one.role, one.name) not in {(other.role, other.name) for other in plan.signatures}:
                signed = signed.signed(one)
        return json.dumps(signed.model_dump(mode="json"), ensure_ascii=False).encode()

    with _of_team(workspace, writes=True) as journal:
        if journal is not None:
            journal.plans.keep(plan.sha256, plan.made_at, plan.expires_at, merged)


def waiting(workspace: Path, now: float) -> list[dict[str, Any]]:
    """Return the plans of a team that are still good and that no run has sent, in plain JSON types.

    Args:
        now: seconds since the epoch.
    """
    with _of_team(workspace) as journal:
        if journal is None:
            return []
        sent = {one.sha256 for run, _ in journal.runs.ids() for one in journal.runs.facts(run).plans}
        return [_line(plan) for plan in _good(journal, now) if plan.sha256 not in sent]


def written_again(workspace: Path, name: str, now: float) -> Path | None:
    """Write a plan of a team as a file, with every signature that is known of it.

    Args:
        name: the first digits of its hash, at least 8.
        now: seconds since the epoch.

    Returns:
        The file; None: the name means no plan that is still good.

    Raises:
        UsageError: it means several.
        StorageError: it cannot be written.
    """
    if not _BEGINNING.fullmatch(name):
        return None
    with _of_team(workspace) as journal:
        found = list(_good(journal, now, name)) if journal else []
    if len(found) > 1:
        raise UsageError(f"'{name}' fits several plans.", "Give more of its digits.")
    if not found:
        return None
    path = workspace / _FOLDER / f"plan-{found[0].sha256[:_SHOWN]}.json"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise storage_error(error, workspace) from error
    found[0].write(path, instead=True)
    return path


@contextmanager
def _of_team(workspace: Path, *, writes: bool = False) -> Iterator[Journal | None]:
    """The journal of a workspace, where it is a team's."""
    location = Location.of_workspace(workspace)
    if not location.url:
        yield None
        return
    with closing(open_journal(location, writes=writes)) as journal:
        yield journal


def _good(journal: Journal, now: float, beginning: str = "") -> Iterator[PlanFile]:
    """Plans that have not expired, as far as this program can read them."""
    for content in journal.plans.good_at(now, beginning):
        with suppress(PlanRefusedError):
            yield _read(content)


def _read(content: bytes) -> PlanFile:
    from importer.runs.plans.kinds import plan_in  # noqa: PLC0415  # takes long to load, and most journals are files

    return plan_in(content, Path("the journal"))


def _line(plan: PlanFile) -> dict[str, Any]:
    return {
        "plan": plan.sha256,
        "job": plan.job,
        "run_id": plan.run_id,
        "target": plan.target,
        "host": plan.host,
        "rows": plan.rows,
        "author": plan.author,
        "signatures": [one.name for one in plan.signatures],
        "expires_at": datetime.fromtimestamp(plan.expires_at, UTC).isoformat(timespec="seconds"),
    }
