"""The policy of approvals: a file of an administrator that says who may make and approve which plans.

It binds whoever runs the importer as long as they cannot write it. It does not bind whoever holds the credentials of
the target outside of the importer.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError, model_validator

from importer.approval.keys import NAME
from importer.approval.signatures import raw_key
from importer.core.errors import AccessError, ProfileError
from importer.core.labels import did_you_mean
from importer.core.plans import PolicyJob
from importer.profile.operating import Age

SYSTEM = Path("/etc/importer/approval.toml")
VARIABLE = "IMPORTER_APPROVAL_POLICY"
"""Where the policy is, on machines without the other file."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _public_key(text: str) -> str:
    raw_key(text)
    return text


def _name(text: str) -> str:
    if NAME.fullmatch(text) is None:
        raise ValueError("a name of letters, digits, '-' and '_'")
    return text


class ServerRule(_Table):
    """One server that plans are for.

    Args:
        host: as the importer names it when it asks before sending, with its port where it has one.
        approval: whether it takes approved plans alone.
    """

    host: Annotated[str, AfterValidator(str.lower), Field(min_length=1)]
    approval: bool = True


class Permission(_Table):
    """What somebody may approve.

    Args:
        targets: names of the policy's servers.
        jobs: empty: all.
        rows: customers of one plan at most; None: any number.
    """

    targets: tuple[str, ...]
    jobs: tuple[PolicyJob, ...] = ()
    rows: NonNegativeInt | None = None


class Person(_Table):
    """Somebody who signs plans.

    Args:
        key: their public key.
        plans: whether they may be the author of a plan.
        until: their last day, UTC: later signatures do not count; None: they are still here.
    """

    key: Annotated[str, AfterValidator(_public_key)]
    plans: bool = False
    until: date | None = None
    approves: tuple[Permission, ...] = ()


class Policy(_Table):
    """All of it.

    Args:
        valid: how long a plan is good at most, in seconds.
        signatures: people who sign a plan, its author among them.
        targets: the servers that may be sent to.
    """

    valid: Age = Field("7d", validate_default=True)
    signatures: Annotated[int, Field(ge=2, le=10)] = 2
    targets: Mapping[Annotated[str, AfterValidator(_name)], ServerRule] = {}
    people: Mapping[Annotated[str, AfterValidator(_name)], Person] = {}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        owners: dict[bytes, str] = {}
        for name, person in self.people.items():
            if (other := owners.setdefault(raw_key(person.key), name)) != name:
                raise ValueError(f"{other} and {name} have the same key")
            for target in (one for permission in person.approves for one in permission.targets):
                if target not in self.targets:
                    raise ValueError(f"{name} approves for '{target}'{did_you_mean(target, [*self.targets])}")
        hosts = [one.host for one in self.targets.values()]
        if len(set(hosts)) < len(hosts):
            raise ValueError("two targets have the same host")
        return self

    def named(self, host: str) -> str:
        """What the policy calls a server; empty: it does not know it."""
        return next((name for name, one in self.targets.items() if one.host == host.lower()), "")

    def server(self, host: str) -> ServerRule | None:
        """What it says of a server; None: it does not know it."""
        return self.targets.get(self.named(host))


def policy_place(environ: Mapping[str, str] = os.environ, system: Path = SYSTEM) -> Path | None:
    """Where the policy of this machine is; None: there is none.

    Args:
        system: the file that goes before the variable.

    Raises:
        OSError: that cannot be found out.
    """
    try:
        system.lstat()  # a folder that may not be searched is an error, and never "no policy"
    except (FileNotFoundError, NotADirectoryError):
        pass
    else:
        return system
    chosen = environ.get(VARIABLE, "").strip()
    return Path(chosen) if chosen else None


def load_policy(environ: Mapping[str, str] = os.environ, system: Path = SYSTEM) -> Policy | None:
    """Read the policy of this machine; None: there is none.

    Raises:
        AccessError: it cannot be read.
        ProfileError: it is not right.
    """
    try:
        path = policy_place(environ, system)
        if path is None:
            return None
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        gone = isinstance(error, FileNotFoundError)
        raise AccessError(
            f"The approval policy '{error.filename or system}' cannot be read: {reason}; nothing is sent without it.",
            f"An administrator {'puts it there' if gone else 'makes it readable for whoever runs the importer'}.",
        ) from None
    return _read(content, path)


def _read(content: bytes, path: Path) -> Policy:
    try:
        return Policy.model_validate(tomllib.loads(content.decode("utf-8-sig")))
    except ValidationError as error:
        reasons = "; ".join(_sentence(one) for one in error.errors(include_url=False, include_input=False)[:3])
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reasons = f"it is not TOML ({error})"
    raise ProfileError(
        f"The approval policy '{path}' is wrong: {reasons}; nothing is sent until it is right.",
        "An administrator has to fix it.",
    )


def _sentence(problem: Any) -> str:
    place = ".".join(map(str, problem["loc"]))
    text = (
        "there is no such key" if problem["type"] == "extra_forbidden" else problem["msg"].removeprefix("Value error, ")
    )
    return f"{place}: {text}" if place else text


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK)


def writers_of(path: Path, user: int | None = None, writable: Callable[[Path], bool] = _writable) -> Iterator[str]:
    """Say in what way whoever runs this could change a policy; nothing: in none.

    Args:
        user: their number; None: of this process.
        writable: whether they may write a file or a folder.
    """
    whole, user = path.resolve(), os.geteuid() if user is None else user
    if writable(whole):
        yield f"may write {whole}"
    elif whole.stat().st_uid == user:
        yield f"owns {whole}"
    places = dict.fromkeys((path.absolute(), whole))  # a link can be replaced in its own folder
    for below in (below for place in places for below in (place, *place.parents[:-1])):
        if below.parent.stat().st_uid == user:
            yield f"owns {below.parent}"
        elif writable(below.parent) and not _keeps(below.parent, below, user):
            yield f"may replace files in {below.parent}"


def _keeps(folder: Path, path: Path, user: int) -> bool:
    """Whether a folder that others may write keeps what is in it for its owner (the sticky bit)."""
    return bool(folder.stat().st_mode & 0o1000) and user != path.lstat().st_uid
