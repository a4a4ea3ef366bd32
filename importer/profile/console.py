"""The schema of `[console]`: who may use the web console, and how it is reached. Values only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from importer.profile.section import Section, Written

_HASH = re.compile(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
_ADDRESS = re.compile(r"https://[^/\s?#@]+", re.IGNORECASE)
_HASH_IS = "an Argon2id hash; the option --new-user of the console prints one"
_ADDRESS_IS = "an address such as https://import.example.com, without a path"


def _hash(text: str) -> str:
    if not _HASH.fullmatch(text):
        raise ValueError(_HASH_IS)
    return text


def _address(text: str) -> str:
    if text and not (_ADDRESS.fullmatch(text) and _has_place(text)):
        raise ValueError(_ADDRESS_IS)
    return text


def _has_place(text: str) -> bool:
    """Whether an address names a host, and a port that there can be."""
    try:
        place = urlsplit(text)
        return bool(place.hostname) and place.port != 0
    except ValueError:
        return False


class ConsoleUser(Section):
    """`[console.users.NAME]`: one user of the console.

    A name is also that of the key that the user signs plans with.
    """

    password: Annotated[str, AfterValidator(_hash), Written(_HASH_IS)] = Field(
        repr=False, description="The Argon2id hash of the password; never the password itself."
    )
    roles: tuple[Literal["view", "prepare", "approve", "run"], ...] = Field(
        ("view",),
        description="What the user may do: `view` sees masked values, `prepare` uploads and fixes, `approve` signs "
        "plans, `run` sends. Whoever has one of the last three may view, too, and sees values.",
    )


class ConsoleSettings(Section):
    """`[console]`: who may use the web console, and how it is reached; needs the optional group `console`."""

    users: dict[str, ConsoleUser] = Field(
        default_factory=dict,
        description="User to password hash and roles; none: whoever opens the link that is printed at the start "
        "may do everything, and only this computer is served.",
    )
    url: Annotated[str, AfterValidator(_address), Written(_ADDRESS_IS)] = Field(
        "", description="The address that browsers use, behind a proxy or for a network; not set: this computer's."
    )
    certificate: Path | None = Field(
        None, description="The TLS certificate (PEM) of the console itself; not set: a proxy has it, or no network."
    )
    private_key: Path | None = Field(
        None, description="The private key of `certificate` (PEM); not set: as `certificate`."
    )
    max_upload_bytes: PositiveInt = Field(200 * 1024**2, description="The largest file that is received, in bytes.")
    idle_s: PositiveFloat = Field(
        1_800.0, description="Users who did nothing for this long have to sign in again, in seconds."
    )

    @model_validator(mode="after")
    def _both_halves(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("`certificate` and `private_key` go together")
        return self
