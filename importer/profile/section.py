"""What all tables of a profile have in common: the base of their models, and how a list is written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


@dataclass(frozen=True, slots=True)
class Written:
    """How a value is written in a profile, for the reference: the end of "it is ...". It is in a type's metadata."""

    words: str


class Section(BaseModel):
    """One table of a profile: frozen, and no key that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def listed(value: Any) -> Any:
    """Let a list be written as one text, as environment variables and options must: `csv,xlsx` or a JSON list."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        raise ValueError('a list such as a,b or ["a", "b"]') from None


Names = Annotated[tuple[str, ...], BeforeValidator(listed)]
