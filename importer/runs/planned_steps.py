"""The steps after a create that a profile asks for, in one sentence. Composes text; plans nothing."""

from __future__ import annotations

from collections.abc import Collection

from importer.core.labels import counted
from importer.core.steps import Step
from importer.mapping import not_used
from importer.profile import Profile
from importer.runs.after_create import steps_of

_CURRENCY = "limits.currency"


def planned_steps(profile: Profile, mapped: Collection[str]) -> str:
    """Say which steps rows will have after their create, and what is mapped for nothing; empty: neither.

    Args:
        mapped: the fields that are mapped.

    Raises:
        ProfileError: as for `steps_of`.
    """
    wanted = steps_of(profile, mapped)
    words = [_words(profile, step, _parts(mapped, step)) for step in wanted]
    off = [name for name in profile.contract.fields.steps(mapped) if name not in wanted]
    planned = [f"After the create: {', '.join(words)}."] if words else []
    return " ".join([*planned, *map(not_used, off)])


def _words(profile: Profile, step: Step, parts: list[str]) -> str:
    match step:
        case Step.BENEFICIARIES:
            return f"up to {counted(len(parts), 'beneficial owner')}"
        case Step.LIMITS:
            rule = profile.mapping.get(_CURRENCY)
            constant = getattr(rule, "value", None)
            return f"limits ({', '.join(parts)}{f' in {constant}' if constant else ''})"
        case Step.DOCUMENTS:
            return f"documents ({', '.join(parts)})"
        case Step.VERIFICATION:
            return f"verification by '{profile.after_create.identity_verification}'"
        case _:
            return "reading back" if step is Step.VERIFY else step.value


def _parts(mapped: Collection[str], step: Step) -> list[str]:
    """What is mapped for a step: `1`, `daily`, `passport`."""
    own = [name for name in mapped if name.startswith(f"{step}.") and name != _CURRENCY]
    return list(dict.fromkeys(name.split(".")[1] for name in own))
