"""The proof that a run has sent what its plans say, worked out again offline. Changes nothing.

The plan is the one that was signed, its signatures are genuine and count by the policy of now, and the hash over the
bodies in the journal is the one that the plan names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from importer.approval import Policy, is_genuine, judge, load_policy
from importer.core.errors import AccessError, PlanRefusedError, ProfileError
from importer.core.states import RowState
from importer.journal import Journal, PlanFacts, StoredRun
from importer.runs.after_create import NOT_READY_CODE
from importer.runs.compared import Compared, same
from importer.runs.plans.bodies import BodyHashes, digest_of, digests_in
from importer.runs.plans.gate import SENDING_ROWS, copy_of
from importer.runs.plans.import_plan import ImportPlan
from importer.runs.plans.plan_file import PlanFile


def compared_plans(
    journal: Journal, stored: StoredRun, directory: Path, said: Sequence[Mapping[str, Any]]
) -> Iterator[Compared]:
    """Work out again what a receipt says of plans.

    Args:
        directory: the run's.
        said: its `plans`.
    """
    plans = [PlanFacts.model_validate_json(json.dumps(one)) for one in said]
    sending = [one for one in plans if one.job in SENDING_ROWS]
    for one in plans:
        try:
            plan = copy_of(one, directory)
        except PlanRefusedError as error:
            gone = stored.purged_at is not None
            yield Compared(_name(one), "gone", "purged") if gone else Compared(_name(one), "differs", error.message)
            yield from _signatures(one, None)
        else:
            yield Compared(_name(one), "ok")
            yield from _signatures(one, plan)
            if isinstance(plan, ImportPlan):
                yield _bodies(journal, stored, plan, is_last=one is sending[-1])


def _name(one: PlanFacts) -> str:
    return f"plan {one.sha256[:8]}"


def _signatures(one: PlanFacts, plan: PlanFile | None) -> Iterator[Compared]:
    """Check those that counted when the plan was used.

    Args:
        plan: None: its copy is not there; who may approve how much cannot be said then.
    """
    if not one.signatures:
        return
    try:
        policy = load_policy()
    except (AccessError, ProfileError) as error:
        yield Compared("approval policy", "missing", error.message)
        policy = None
    for signature in one.signatures:
        what = f"signature of {signature.name}"
        person = policy.people.get(signature.name) if policy else None
        if not is_genuine(signature, one.sha256, person.key if person else signature.key):
            yield Compared(what, "differs", f"it is not genuine for the {_name(one)}")
        else:
            yield Compared(what, "ok")
    if policy is None:
        yield Compared(f"approval of the {_name(one)}", "gone", "no policy here says whose keys these are")
    elif plan is not None:
        yield _approval(policy, one, plan)


def _approval(policy: Policy, one: PlanFacts, plan: PlanFile) -> Compared:
    """Whether what counted then is an approval by the policy of now; when the plan expires does not matter."""
    found = judge(policy, plan.approvable, one.signatures, plan.expires_at, expiry=False)
    return same(f"approval of the {_name(one)}", (), () if found.approved else found.reasons, "; ".join(found.reasons))


def _bodies(journal: Journal, stored: StoredRun, plan: ImportPlan, *, is_last: bool) -> Compared:
    """Whether the journal holds the bodies that the plan was made for.

    Args:
        is_last: no other plan has changed rows of the run since.
    """
    what = f"bodies of the plan {plan.sha256[:8]}"
    if stored.purged_at is not None:
        return Compared(what, "gone", "what was sent was purged")
    if not is_last or stored.facts.fixed:
        return Compared(what, "gone", "rows came back fixed since, and took the place of those of the plan")
    settings = plan.content.kept["settings"]
    stamp = settings["delivery"]["import_key_metadata"]
    refuses = settings["idv"]["not_ready"] == "refuse"
    digests = _with_refused(journal, stored.run, stamp) if refuses else digests_in(journal, stored.run, stamp)
    return same(what, plan.root, BodyHashes.of(digests).root, "what was sent is not what the plan says")


def _with_refused(journal: Journal, run: int, stamp: str) -> Iterator[bytes]:
    """The hashes of a run's bodies, of those too that its plan had, and that were refused before they were sent."""
    columns = (column for batch in journal.replay(run).batches() for column in batch.issues.columns())
    refused = {ordinal for one in columns if one.kind.code == NOT_READY_CODE for ordinal in one.ordinals}
    for bodies in journal.steps(run).bodies(set(RowState)):
        yield from (
            digest_of(one.payload, one.after, one.key, stamp)
            for one in bodies
            if one.state is not RowState.INVALID or one.ordinal in refused
        )
