"""The schema of a profile: every key, its default and its meaning. Values only; loading is next door.

Every model refuses unknown keys; `loading` turns that into the nearest right name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

_RATE = re.compile(r"(?P<count>\d+)\s*/\s*(?P<unit>s|sec|second|m|min|minute|h|hour|d|day)", re.IGNORECASE)
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Section(BaseModel):
    """One table of a profile: frozen, and no key that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Rate(BaseModel):
    """At most `count` request starts in any rolling window of `per_s` seconds.

    Written as `10/s`, `600/min`, `5000/h` or `100000/day`.
    """

    model_config = ConfigDict(frozen=True)

    count: PositiveInt
    per_s: PositiveFloat

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        match = _RATE.fullmatch(value.strip())
        if match is None:
            msg = f"'{value}' is no rate: write it like 10/s, 600/min or 100000/day"
            raise ValueError(msg)
        return {"count": int(match["count"]), "per_s": _UNIT_S[match["unit"][0].lower()]}

    @property
    def per_second(self) -> float:
        """The mean rate, requests per second."""
        return self.count / self.per_s

    def __str__(self) -> str:
        unit = {1.0: "s", 60.0: "min", 3600.0: "h", 86400.0: "day"}[self.per_s]
        return f"{self.count}/{unit}"


class SourceLimits(Section):
    """What a file may ask of us before it is refused as hostile."""

    max_file_bytes: PositiveInt = 20 * 1024**3
    max_unpacked_bytes: PositiveInt = 20 * 1024**3
    max_unpack_ratio: PositiveInt = 200
    max_columns: PositiveInt = 2_000
    max_rows: PositiveInt = 20_000_000
    max_cell_chars: PositiveInt = 1_000_000


class SourceSettings(Section):
    """`[source]`: how the file is read. `auto` means: found out, and reported."""

    format: Literal["auto", "csv", "excel"] = "auto"
    encoding: str = "auto"
    delimiter: str = "auto"
    quote: str = "auto"
    sheet: str | int | None = None
    header_row: PositiveInt | Literal["auto"] = "auto"
    limit: PositiveInt | None = None
    batch_rows: Annotated[int, Field(ge=1, le=100_000)] = 4_096
    columns: tuple[str, ...] = ()
    """The header this profile was made for; empty: no drift guard."""
    on_drift: Literal["stop", "warn", "ignore"] = "stop"
    limits: SourceLimits = SourceLimits()


class FieldRule(Section):
    """Where one customer field comes from, and what is done to its text on the way.

    Exactly one of `value` (a constant), `column` and `columns` is given. The steps run in the
    order of the attributes below.
    """

    value: str | None = None
    column: str | None = None
    columns: tuple[str, ...] = ()
    join: str = " "
    strip: str | None = None
    """Characters to remove at both ends, beside white space."""
    regex: str | None = None
    """Keep what its first group matches (or the whole match); no match is an issue."""
    part: Literal["first", "rest", "last", "all_but_last"] | None = None
    """The part of a text split at white space or `split`: a full name into first and last."""
    split: str | None = None
    upper: bool = False
    lower: bool = False
    map: dict[str, str] | None = None
    """Value to value, case and outer spaces aside; a value that is not in it is an issue."""
    default: str | None = None
    """Used where the text is blank (and, with `map`, where it is unmapped)."""
    format: str | None = None
    """For dates: a `strptime` format."""

    @model_validator(mode="after")
    def _one_origin(self) -> FieldRule:
        given = [self.value is not None, self.column is not None, bool(self.columns)]
        if sum(given) != 1:
            msg = "give exactly one of value, column and columns"
            raise ValueError(msg)
        return self


def _rule(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


MappingRule = Annotated[FieldRule, BeforeValidator(_rule)]


class ValidationSettings(Section):
    """`[validation]`: how strict, and what to assume."""

    default_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = "US"
    phone: Literal["e164", "possible", "valid"] = "possible"
    date_order: Literal["auto", "mdy", "dmy", "ymd"] = "auto"
    duplicates: Literal["reject", "first", "allow"] = "reject"
    no_change: tuple[str, ...] = ()
    """Fields (API names) that must be sent exactly as they stand in the source."""


class DeliverySettings(Section):
    """`[delivery]`: how fast, how often, how patient."""

    rate: Rate = Rate(count=10, per_s=1.0)
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = 16
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 6
    max_errors: NonNegativeInt | None = None
    """Stop after more than this many rows ended rejected or failed; None: never."""
    max_error_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    """Stop when a larger share of the settled rows ended rejected or failed; None: never."""
    error_rate_sample: PositiveInt = 50
    """Settled rows before `max_error_rate` is judged."""
    fail_fast: bool = False
    backoff_base_s: PositiveFloat = 1.0
    backoff_cap_s: PositiveFloat = 60.0
    connect_timeout_s: PositiveFloat = 5.0
    read_timeout_s: PositiveFloat = 30.0
    total_timeout_s: PositiveFloat = 60.0
    looks_after_s: tuple[NonNegativeFloat, ...] = (0.0, 2.0, 8.0)
    """Pauses before each look-up of a row in doubt; only when all of them find nothing is it sent again."""
    drain_s: PositiveFloat = 30.0
    """How long a stopping run waits for what is in flight."""
    breaker_faults: PositiveInt = 20
    """Server faults in a row (5xx, timeouts, resets) that stop the run."""
    import_key_metadata: Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_.-]*$")] = "importKey"
    """The metadata name under which every create carries its import key; empty: not stamped."""


class ResultsSettings(Section):
    """`[results]`: which files, where."""

    formats: tuple[Literal["csv", "xlsx", "jsonl", "parquet"], ...] = ("csv",)
    escape_formulas: bool = False
    out: Path | None = None
    """A folder for the results beside the run directory's own; None: only there."""
    partial_ok: bool = False


class TargetSettings(Section):
    """`[targets.NAME]`: a place to create customers in. Any key of `[delivery]` may stand here too."""

    model_config = ConfigDict(extra="allow", frozen=True, str_strip_whitespace=True)

    kind: str = "rocketkor"
    base_url: str = ""

    @model_validator(mode="after")
    def _overrides_are_delivery_keys(self) -> TargetSettings:
        DeliverySettings.model_validate(self.overrides)
        return self

    @property
    def overrides(self) -> dict[str, Any]:
        """The delivery keys that this target sets for itself."""
        return dict(self.model_extra or {})
