"""The schema of `[after_create]`, `[idv]` and `[documents]`: what happens after a row's create. Values only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, NonNegativeFloat

from importer.profile.section import Names, Section, Written

_TIME_IS = "a length of time such as 90s, 15m, 2h or 1d"
_TIME = re.compile(r"(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>s|m|h|d|)", re.IGNORECASE)
_UNIT_S = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = _TIME.fullmatch(value.strip())
    if match is None:
        raise ValueError(_TIME_IS)
    return float(match["count"]) * _UNIT_S[match["unit"].lower()]


class AfterCreateSettings(Section):
    """`[after_create]`: the steps after a create, in the order owners, limits, documents, verification, verify."""

    verify: bool = Field(False, description="Read every customer back and compare all that was sent.")
    beneficiaries: bool = Field(
        True, description="Create the beneficial owners of a business, where columns are mapped to `beneficiaries.N`."
    )
    limits: bool = Field(False, description="Set transaction limits; needs columns mapped to `limits.TYPE`.")
    documents: bool = Field(True, description="Upload documents, where columns are mapped to `documents.KIND`.")
    identity_verification: str = Field(
        "", description="Submit every customer that is ready to this profile of the target, by name or id; empty: none."
    )
    follow_up: Annotated[NonNegativeFloat, BeforeValidator(_seconds), Written(_TIME_IS)] = Field(
        "15m",
        validate_default=True,
        description=(
            "How long a run waits for the outcomes of identity verifications; `importer follow RUN` reads those "
            "that are open then."
        ),
    )

    @property
    def steps_off(self) -> tuple[str, ...]:
        """The steps that would send mapped columns and are off."""
        return tuple(step for step in ("beneficiaries", "limits", "documents") if not getattr(self, step))


class VerificationSettings(Section):
    """`[idv]`: how identity verification is prepared."""

    not_ready: Literal["create", "refuse"] = Field(
        "create",
        description="What becomes of a row that lacks what the verification asks for: created without it, or refused.",
    )
    countries: Names = Field(
        ("USA",),
        description="Where customers can be verified; the default is what the API's page says. Empty: everywhere.",
    )
    individual_party: str = Field(
        "individual",
        description="What a profile of the target calls a person in what it requires; no page of the API says it.",
    )


class DocumentSettings(Section):
    """`[documents]`: where the files of documents are read from. A cell never opens the way to any other file."""

    folder: Path = Field(
        Path(),
        description=(
            "Names in cells are files below this folder. A relative one begins beside the source, with `importer "
            "nightly` at the folder that files arrive in."
        ),
    )
    addresses: Names = Field(
        (), description="Addresses in cells are read if they begin with one of these; empty: none is."
    )
