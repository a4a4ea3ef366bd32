"""The policy of approvals: whether it can be read, and whether whoever runs this could change it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from importer.approval import SYSTEM, VARIABLE, Policy, load_policy, policy_place, writers_of
from importer.core.commands import quoted
from importer.core.errors import ExitCode, ImporterError
from importer.core.labels import counted
from importer.doctor.finding import Finding
from importer.profile import Profile

_CHECK = "approval"


def check_approval(profile: Profile, environ: Mapping[str, str], system: Path = SYSTEM) -> Iterator[Finding]:
    """Check the policy that says which plans are sent.

    Args:
        system: the file that goes before the variable.
    """
    try:
        policy, path = load_policy(environ, system), policy_place(environ, system)
    except ImporterError as error:
        yield Finding.from_error(_CHECK, error)
        return
    if policy is None or path is None:
        yield _no_policy(profile)
        return
    if path == system and environ.get(VARIABLE, "").strip():
        yield Finding.warn(
            _CHECK, f"{VARIABLE} is set and has no effect: {system} is the policy", f"Take {VARIABLE} away."
        )
    ways = list(writers_of(path))
    if ways:
        yield _may_be_changed(path, ways)
    elif path != system:
        yield Finding.warn(
            _CHECK,
            f"{_described(policy, path)}; whoever runs the importer may have {VARIABLE} name another one",
            f"An administrator puts it at {system}.",
        )
    else:
        yield Finding.ok(_CHECK, _described(policy, path))


def _no_policy(profile: Profile) -> Finding:
    if not profile.approval.required:
        return Finding.ok(_CHECK, "no policy: plans need no signature")
    return Finding.fail(
        _CHECK,
        "the profile asks for approved plans, and there is no policy that says who approves them",
        f"An administrator writes {SYSTEM}, or the file that {VARIABLE} names.",
        ExitCode.ACCESS,
    )


def _may_be_changed(path: Path, ways: list[str]) -> Finding:
    if os.geteuid() == 0:
        return Finding.warn(
            _CHECK,
            f"root runs the importer and may change {path}: nobody is bound by it",
            "Run the importer under an account of its own.",
        )
    return Finding.warn(
        _CHECK,
        f"whoever runs the importer {ways[0]}, and is not bound by the policy",
        f"Give it to an administrator: chown root {quoted(str(path))}; chmod 644 {quoted(str(path))}; its folder, too.",
    )


def _described(policy: Policy, path: Path) -> str:
    bound = sum(one.approval for one in policy.targets.values())
    people, targets = len(policy.people), len(policy.targets)
    named = f"{people} {'person' if people == 1 else 'people'}, {counted(targets, 'target')}"
    return f"{path}: {named}, {bound} of them for approved plans alone"
