"""`approve`, and `show` of a plan: what a plan says, who has signed it, and what is missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.invocation import load_profile, wants_json
from importer.cli.output import fitted, print_json, say
from importer.cli.output import show as show_text
from importer.core.errors import ExitCode, UsageError
from importer.core.labels import counted

if TYPE_CHECKING:
    from importer.approval import Signer
    from importer.profile import Profile
    from importer.runs.plans.approve import Judged

Plan = Annotated[Path, typer.Argument(metavar="PLAN", help="The file of a plan.", show_default=False)]

_DOES = {
    "import": "import {} into {}",
    "return": "send {} again to {}",
    "update": "update {} at {}",
    "undo": "take back {} at {}",
}
_HASH = 8
"""Letters of a hash that people are shown."""


@dataclass(frozen=True)
class ApproveOptions(opt.OptionSet):
    """What only `approve` takes."""

    key: str | None = opt.option(opt.OWN, "The key that signs; default: the only one of yours.", "NAME")
    yes: bool = opt.flag(opt.OWN, "Sign without a question.", short="-y")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, approve, "importer approve plan.json --key ben")


def approve(plan: Plan, *, own: ApproveOptions, shared: opt.Shared) -> None:
    """Sign a plan, so that it may be sent.

    Shows what the plan says, asks, and adds your signature to its file. The policy of this machine
    (/etc/importer/approval.toml) says who may approve what; what you may not approve is not signed (exit code 5).
    Where there is no policy, the plan is signed, and the machine that sends by it decides whether that counts.

    Sign on a machine that is yours: whoever can read your key, and knows its passphrase, can sign in your name.
    """
    profile = load_profile(shared, own)
    as_json = wants_json(profile, shared)
    from importer.runs.plans.approve import Judged, signature  # noqa: PLC0415
    from importer.runs.plans.approve import approve as sign_plan  # noqa: PLC0415
    from importer.runs.plans.kinds import read_plan  # noqa: PLC0415
    from importer.runs.wiring.clock import SystemClock  # noqa: PLC0415

    now = SystemClock().now
    shown = Judged.of(read_plan(plan), profile.approval, now())
    shown.require_genuine()
    signer = _signer(profile.approval.key)
    if not as_json:
        say(fitted("\n".join(_lines(shown, plan)), sys.stderr))
    signature(shown.plan, signer, now())  # who may not sign it is not asked
    _require_yes(profile, plan, signer)
    signed, made = sign_plan(plan, signer, shown.plan.sha256, now(), profile.workspace)
    judged = Judged.of(signed, profile.approval, now())
    if as_json:
        print_json({"command": "approve", **_json(judged, plan), "signature": made.model_dump(mode="json")})
    else:
        say(fitted("\n".join(("", f"{made.name} approved the plan.", *_state(judged, plan, profile))), sys.stderr))


def _signer(chosen: str) -> Signer:
    """Have the key at hand that signs."""
    from importer.approval import chosen_key, key_folder  # noqa: PLC0415
    from importer.cli.keys import passphrase_of  # noqa: PLC0415
    from importer.core.commands import Commands  # noqa: PLC0415

    found = chosen_key(chosen, key_folder())
    if found is None:
        raise UsageError(f"There is no key in {key_folder()} to sign with.", f"`{Commands().new_key()}` makes one.")
    return found.unlock(passphrase_of(found))


def _require_yes(profile: Profile, plan: Path, signer: Signer) -> None:
    """Ask whether the plan shall be signed.

    Raises:
        UsageError: nobody can be asked, or the answer was no.
    """
    if profile.yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "Nothing was signed: it has to be confirmed, and there is no terminal to ask on.",
            "Add --yes if you mean it.",
        )
    if not typer.confirm(f"Approve '{plan}' as {signer.name}?", err=True):
        raise UsageError("Nothing was signed: it was not confirmed.")


def show_plan(plan: Path, profile: Profile, *, as_json: bool, command: str = "show", verify: bool = False) -> int:
    """Show a plan: what it says, and who has signed it.

    Args:
        command: the word that was typed.
        verify: whether it would be accepted is what was asked.

    Returns:
        The exit code.
    """
    from importer.runs.plans.approve import Judged  # noqa: PLC0415
    from importer.runs.plans.kinds import read_plan  # noqa: PLC0415
    from importer.runs.wiring.clock import SystemClock  # noqa: PLC0415

    judged = Judged.of(read_plan(plan), profile.approval, SystemClock().now())
    judged.require_genuine()
    refusal = judged.refusal if verify else ""
    code = ExitCode.ACCESS if refusal else ExitCode.OK
    if as_json:
        verified = {"verified": not refusal} if verify else {}
        said = {**_json(judged, plan), **verified, "exit_code": int(code), "error": refusal or None}
        print_json({"command": command, **said})
    else:
        found = [f"\n{refusal or 'The plan holds.'}"] if verify else []
        show_text(fitted("\n".join((*_lines(judged, plan), *_state(judged, plan, profile), *found)), sys.stdout))
    return int(code)


def _json(judged: Judged, plan: Path) -> dict[str, Any]:
    return {
        "plan": judged.as_json(),
        "approved": judged.approved,
        "missing": judged.missing,
        "who": [str(one) for one in judged.who],
        "files": {"plan": str(plan)},
        "exit_code": 0,
        "error": None,
    }


def _lines(judged: Judged, path: Path) -> Iterator[str]:
    """What a plan says, line by line; no text of it begins a line, which might say something else."""
    return (line.replace("\n", r"\n") for line in _said(judged, path))


def _said(judged: Judged, path: Path) -> Iterator[str]:
    said = judged.as_json()
    place = f"{said['target']} ({said['host']})" if said["host"] else said["target"]
    yield f"Plan to {_DOES[said['job']].format(counted(said['rows'], 'customer'), place)}"
    rows = {"file": str(path), **dict(_facts(said))}
    yield from (f"  {name:<10} {text}" for name, text in rows.items() if text)
    if said["signatures"]:
        yield "Signatures"
    for one in said["signatures"]:
        yield f"  {one['name']:<10} {one['role']}, {_moment(one['signed_at'])}: {one['verdict']}"


def _facts(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    source = said["source"] or {}
    corrected = f", corrected ({source['corrections'][:_HASH]})" if source.get("corrections") else ""
    yield "source", f"{source.get('name', '')}{corrected}"
    yield "of run", said["run_id"]
    yield "account", said["scope"].rpartition("#")[2]
    counts = [f"{count:,} {name}" for name, count in said["counts"].items() if count]
    yield "rows", ", ".join([*counts, *([f"{said['known']:,} known already"] if said["known"] else [])])
    yield "documents", _documents(said["documents"])
    yield "forecast", str(said["forecast"].get("text", ""))
    authors = [one["name"] for one in said["signatures"] if one["role"] == "author"]
    yield "made", f"{_moment(said['made_at'])} by {authors[0] if authors else said['author'] + ' (not signed)'}"
    yield "good until", f"{_moment(said['good_until'])}{': it has expired' if said['expired'] else ''}"
    root = f", bodies {said['root'][:_HASH]}" if said["root"] else ""
    yield "SHA-256", f"plan {said['sha256'][:_HASH]}{root}"


def _documents(said: Mapping[str, int]) -> str:
    """How many files are uploaded, and how many of them may have another content by then; empty: none is."""
    from importer.runs.plans.import_plan import PlannedDocuments  # noqa: PLC0415

    unbound = PlannedDocuments(count=said["count"], at_addresses=said["at_addresses"]).unbound
    return f"{said['count']:,}{f', of which {unbound}' if unbound else ''}" if said["count"] else ""


def _moment(iso: str) -> str:
    return f"{iso[:10]} {iso[11:16]} UTC"


def _state(judged: Judged, path: Path, profile: Profile) -> Iterator[str]:
    """Whether a plan may be used, and what to do next."""
    from importer.runs.plans.authorship import approve_command  # noqa: PLC0415
    from importer.runs.plans.kinds import send  # noqa: PLC0415
    from importer.runs.plans.plan_file import MAKE_AGAIN  # noqa: PLC0415

    commands = profile.commands
    if judged.approved is None:
        yield "\nNo policy on this machine says whose signatures count: the machine that sends by the plan decides."
    elif judged.approved:
        yield "\nApproved."
    else:
        yield f"\nNot approved{'' if judged.is_needed else ', and its target asks for no approval'}."
        yield from judged.missing
    if judged.expired:
        yield MAKE_AGAIN
    elif judged.approved is False and judged.is_needed:
        yield judged.advice
        if judged.who:
            yield f"  {approve_command(judged.who, path, commands)}"
    else:
        yield "To send what it says, run:"
        yield f"  {send(judged.plan, path, commands)}"
