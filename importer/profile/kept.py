"""What a run keeps of its profile, so that it can be taken up again without naming it. Values only; no secret."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from importer.profile.settings import MappingRule


class KeptProfile(BaseModel):
    """The effective profile of a run, and what was decided over its whole source.

    Args:
        settings: as `Profile.settings_to_keep` gives them.
        rules: the mapping that was used, also where none was given and the columns were matched by name; empty: the
            source was not read to its end yet.
        orders: the order in which each date field is read; None where every date said it itself.
        columns: what the user's own function made of the source's columns; empty: there is none.
    """

    model_config = ConfigDict(frozen=True)

    settings: dict[str, Any]
    rules: dict[str, MappingRule] = Field(default_factory=dict)
    orders: dict[str, Literal["mdy", "dmy", "ymd"] | None] = Field(default_factory=dict)
    columns: tuple[str, ...] = ()
