"""The schema of a profile's tables: every key, its default and its meaning. Values only; never opens a file.

Every model refuses unknown keys; `problems` turns that into a sentence with the nearest right name. A
`ValueError` raised here says what the value must be ("a rate such as 10/s"): it ends that sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from importer.profile.fieldnames import CustomerField
from importer.profile.hours import TimeOfDay, Window, ZoneName
from importer.profile.rates import Rate, RateLimits, less


class Section(BaseModel):
    """One table of a profile: frozen, and no key that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _listed(value: Any) -> Any:
    """Let a list be written as one text, as environment variables and options must: `csv,xlsx` or a JSON list."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        raise ValueError('a list such as a,b or ["a", "b"]') from None


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


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

    model_config = ConfigDict(str_strip_whitespace=False)  # a delimiter may be a tab

    format: Literal["auto", "csv", "excel"] = "auto"
    encoding: str = "auto"
    delimiter: str = "auto"
    quote: str = "auto"
    sheet: str | int | None = None
    header_row: PositiveInt | Literal["auto"] = "auto"
    limit: PositiveInt | None = None
    batch_rows: Annotated[int, Field(ge=1, le=100_000)] = 4_096
    processes: PositiveInt | Literal["auto"] = "auto"
    """How many check large files at once, this one included; `auto`: one for each processor."""
    columns: Names = ()
    """The header this profile was made for; empty: no drift guard."""
    on_drift: Literal["stop", "warn", "ignore"] = "stop"
    limits: SourceLimits = SourceLimits()


class RemoteSettings(Section):
    """`[remote]`: sources that are fetched first (`sftp://`, `s3://`, `gs://`, `https://`)."""

    settle_s: NonNegativeFloat = 2.0
    """Pause between two looks at the file: one that changes in between is still being uploaded, and not touched."""
    silence_s: PositiveFloat = 60.0
    """The longest silence of the other side, while connecting or under way."""


class FieldRule(Section):
    """Where one customer field comes from, and what is done to its text on the way.

    Exactly one of `value` (a constant), `column` and `columns` is given. The steps run in the
    order of the attributes below.
    """

    model_config = ConfigDict(str_strip_whitespace=False)  # a joint or a split may be a blank

    value: str | None = None
    column: str | None = None
    columns: tuple[str, ...] = ()
    join: str = " "
    strip: str | None = None
    """Characters to remove at both ends, beside white space."""
    regex: str | None = None
    """Keep what its first group matches (or the whole match); no match is an issue."""
    part: Literal["first", "rest", "last", "all_but_last", "given", "family"] | None = None
    """The part of a text split at white space or `split`; `given` and `family` understand a person's whole name."""
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
            raise ValueError("a table with exactly one of value, column and columns")
        if self.split is not None and (not self.split or self.part in {None, "given", "family"}):
            raise ValueError("a table whose split comes with a part: first, rest, last or all_but_last")
        return self

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"a regular expression ({error.msg} at position {error.pos})") from None
        return value

    @field_validator("format")
    @classmethod
    def _names_a_whole_date(cls, value: str | None) -> str | None:
        if value is not None and not _is_date_format(value):
            raise ValueError(f"a date format that names day, month and year, such as '{_as_strptime(value)}'")
        return value


_PROBE = datetime(2001, 2, 3)  # noqa: DTZ001 - a format is tried out on it; it is no moment in time
_SPELLED = (("YYYY", "%Y"), ("YY", "%y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d"))


def _is_date_format(text: str) -> bool:
    if not re.search("%[YyGcx]", text):  # Python 3.13 and later warn about dates that have no year
        return False
    try:
        return datetime.strptime(_PROBE.strftime(text), text).date() == date(2001, 2, 3)  # noqa: DTZ007
    except (ValueError, re.error):
        return False


def _as_strptime(text: str) -> str:
    """Translate what people write (`MM/DD/YYYY`); the commonest format where that does not help either."""
    for spelled, directive in _SPELLED:
        text = re.sub(spelled, directive, text, flags=re.IGNORECASE)
    return text if _is_date_format(text) else "%m/%d/%Y"


def _rule(value: Any) -> Any:
    if isinstance(value, str):
        return {"column": value}
    if not isinstance(value, Mapping | FieldRule):
        raise ValueError("a column's name in quotes, or a table")  # noqa: TRY004 - pydantic collects ValueErrors only
    return value


MappingRule = Annotated[FieldRule, BeforeValidator(_rule)]


def _names(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class GroupingSettings(Section):
    """`group_by` and `group_primary` of `[mapping]`: rows that are one business with several contacts.

    Args:
        group_by: customer fields, or columns of the source; rows that are equal in all of them are one business.
            Empty: every row is a customer of its own.
        group_primary: a column of yes and no that marks the row of the main contact; empty: the first row's is.
    """

    group_by: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    group_primary: str = ""

    @model_validator(mode="after")
    def _marks_within_groups(self) -> GroupingSettings:
        if self.group_primary and not self.group_by:
            raise ValueError("a table with group_by, where it has group_primary")
        return self


def _region(value: Any) -> Any:
    if not (isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2}", value.strip())):
        raise ValueError("a country code of two letters, such as US")
    return value.strip().upper()


class ValidationSettings(Section):
    """`[validation]`: how strict, and what to assume."""

    default_region: Annotated[str, BeforeValidator(_region)] | None = "US"
    """Where national phone numbers belong whose row names no country; two capital letters. `[mapping]` may name the
    country of each: `primaryPhoneNumber.region`."""
    phone: Literal["e164", "possible", "valid"] = "possible"
    date_order: Literal["auto", "mdy", "dmy", "ymd"] = "auto"
    duplicates: Literal["reject", "first", "allow"] = "reject"
    possible_duplicate: Literal["warn", "reject", "ignore"] = "warn"
    """A row that is like a customer of an earlier run (email, phone, name with birth date) under another import key."""
    external_id_decides: bool = False
    """Whoever comes under an externalId that was used is the customer who had it; otherwise another person under it,
    with another name, email and phone, is an error."""
    no_change: Annotated[tuple[CustomerField, ...], BeforeValidator(_listed)] = ()
    """Fields (API names) that must be sent exactly as they stand in the source."""


SLOW_SERVER_S = 30.0
"""Within this time after a request began a server is taken to be done with it, or not to do it."""


def _ascending(times: tuple[float, ...]) -> tuple[float, ...]:
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise ValueError("times in seconds, each later than the one before it, such as [0, 2, 8, 30]")
    return times


class DeliverySettings(Section):
    """`[delivery]`: how fast, how often, how patient."""

    rate: RateLimits = RateLimits(windows=(Rate(count=10, per_s=1.0),))
    """Strict, in any rolling window, over all kinds of request. The shortest window is spread, longer ones are quotas;
    those of an hour and more count earlier runs of the same account too."""
    max_wait_s: PositiveFloat = 3_600.0
    """A longer wait for a quota, or a longer pause that the server asks for, ends the run instead (exit code 75)."""
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = 16
    """Rows in flight at most; as many are as the rate and the server's latency need. A token that is renewed meanwhile
    is one request more."""
    canary: NonNegativeInt | None = None
    """Send one row, then so many, then the rest, if nothing new went wrong; 0: all at once. The rest is watched for a
    share of refusals that jumps.

    None: 10 for every target but the emulator and the sandbox."""
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 6
    """Tries of one row that are its own doing."""
    max_spared_attempts: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Tries on top that are not: the server refused everybody (429, 503), or was down for everybody."""
    max_errors: NonNegativeInt | None = None
    """Stop after more than this many rows ended rejected, failed or unknown; None: never. Invalid rows are not counted:
    they are not sent."""
    max_error_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    """Stop when a larger share of the rows sent ended rejected, failed or unknown; None: never."""
    error_rate_sample: PositiveInt = 50
    """Settled rows before `max_error_rate` is judged."""
    fail_fast: bool = False
    backoff_base_s: PositiveFloat = 1.0
    backoff_cap_s: PositiveFloat = 60.0
    connect_timeout_s: PositiveFloat = 5.0
    read_timeout_s: PositiveFloat = 30.0
    total_timeout_s: PositiveFloat = 60.0
    looks_after_s: Annotated[
        tuple[NonNegativeFloat, ...], BeforeValidator(_listed), Field(min_length=1), AfterValidator(_ascending)
    ] = (0.0, 2.0, 8.0, 30.0)
    """When a row in doubt is looked up: times after its request ended, in seconds. Only when all looks find nothing is
    it sent again. A target that was seen to show customers late is looked at later still."""
    look_again_after_s: NonNegativeFloat = 30.0
    """How long after its last send a row that was sent more than once is looked at again, at least."""
    drain_s: PositiveFloat = 30.0
    """How long a stopping run waits for what is in flight."""
    breaker_faults: PositiveInt = 20
    """Server faults in a row (5xx, timeouts, resets) after which all wait while single requests probe; a look-up that
    works does not make up for creates that fail."""
    breaker_probe_s: PositiveFloat = 1.0
    """The pause before the first probe; it doubles, up to a minute."""
    breaker_give_up_s: PositiveFloat = 300.0
    """How long to probe before the run stops (exit code 4); 10 s for a target that never gave a sound answer."""
    faults: str = ""
    """For the emulator inside the run alone: a preset (`migration-night`) or a file of faults; a rehearsal."""
    window: Window | None = None
    """Nothing is sent outside these hours; at their end a run stops well, and can be resumed. None: any time."""
    finish_by: TimeOfDay | None = None
    """The forecast is held against this time of day, and what is left then is stopped well. None: no such time."""
    timezone: ZoneName = ""
    """Whose clock `window` and `finish_by` go by; empty: this computer's."""
    headroom: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of `rate` that is left to others, to live traffic above all."""
    verify_existing: bool = False
    """Look customers of earlier runs up at the target; otherwise they are reported as known from those runs."""
    import_key_metadata: Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_.-]*$")] = "importKey"
    """The metadata name under which every create carries its import key; empty: not stamped."""

    @property
    def looks_caution(self) -> str:
        """What is to be said of looks that end before a slow server may be done; empty: nothing."""
        after_s = self.read_timeout_s + self.looks_after_s[-1]
        if after_s >= SLOW_SERVER_S:
            return ""
        return (
            f"A row in doubt may be sent again {after_s:g} s after its request began; a slow server may take longer."
            f" Let delivery.looks_after_s end at {SLOW_SERVER_S - self.read_timeout_s:g} s or later,"
            f" or set delivery.read_timeout_s to {SLOW_SERVER_S:g}."
        )

    @property
    def allowance(self) -> tuple[tuple[int, float], ...]:
        """Every limit without the `headroom`: starts, and the window in seconds; the shortest window first."""
        return tuple(less(rate, self.headroom) for rate in self.rate.windows)


class ResultsSettings(Section):
    """`[results]`: which files, where."""

    formats: Annotated[tuple[Literal["csv", "xlsx", "jsonl", "parquet"], ...], BeforeValidator(_listed)] = ("csv",)
    escape_formulas: bool = False
    show_values: bool = False
    """Show values in reports and previews as they are; masked otherwise, since reports are mailed around."""
    out: Path | None = None
    """A folder for the results beside the run directory's own; None: only there."""
    partial_ok: bool = False
    preview: Annotated[int, Field(ge=0, le=100)] = 3
    """How many rows the report shows as they were or would be sent, beside their cells; masked like all values."""


_AGE = re.compile(r"(?P<count>\d+)\s*(?P<unit>h|d|w)[a-z]*", re.IGNORECASE)
_AGE_S = {"h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


def _age(value: Any) -> Any:
    match = _AGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if isinstance(value, str) and (match is None or not int(match["count"])):
        raise ValueError("an age such as 12h, 30d or 8w")
    return int(match["count"]) * _AGE_S[match["unit"][0].lower()] if match else value


Age = Annotated[PositiveFloat, BeforeValidator(_age)]
"""A length of time in seconds, written as `12h`, `30d` or `8w`."""


class RetentionSettings(Section):
    """`[retention]`: what `importer purge` takes out of the workspace."""

    older_than: Age | None = None
    """Runs that ended longer ago than this lose their personal data; None: `--older-than` must say it."""


class TargetSettings(Section):
    """`[targets.NAME]`: a place to create customers in. Any key of `[delivery]` may stand here too."""

    model_config = ConfigDict(extra="allow")

    kind: str = "rocketkor"
    base_url: str = ""
    account: str = ""
    """A name for the account behind the credentials; what was created is remembered per address and account.

    Empty: a key that is new to the address is asked about once (`--account-of`), and the answer is remembered."""

    @field_validator("base_url")
    @classmethod
    def _has_no_credentials(cls, value: str) -> str:
        if "@" in value:
            raise ValueError("an address without user name or password: credentials never stand in a profile")
        return value

    @model_validator(mode="after")
    def _overrides_are_delivery_keys(self) -> TargetSettings:
        DeliverySettings.model_validate(self.overrides)
        return self

    @property
    def overrides(self) -> dict[str, Any]:
        """The delivery keys that this target sets for itself."""
        return dict(self.model_extra or {})


class LogSettings(Section):
    """`[log]`: what is told while a run goes on, and how."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class MetricsSettings(Section):
    """`[metrics]`: numbers for Prometheus; needs the optional group `metrics`."""

    textfile: Path | None = None
    """Written whole every few seconds and at the end, for the node exporter's textfile collector; named `….prom`.

    What it says of the last run and night of another target stays in it; whoever wants that forgotten removes it."""
    every_s: PositiveFloat = 15.0
    port: Annotated[int, Field(ge=0, le=65_535)] | None = None
    """Serves `/metrics` while a run lasts, or a whole night."""
    address: str = "127.0.0.1"

    @property
    def wanted(self) -> bool:
        """Whether there is somewhere to show numbers."""
        return self.textfile is not None or self.port is not None


class OtelSettings(Section):
    """`[otel]`: OpenTelemetry by OTLP over HTTP; needs the optional group `otel`.

    Where to send, sampling and names are told by the standard variables, `OTEL_EXPORTER_OTLP_ENDPOINT` first of all.
    """

    enabled: bool = False


class OutputSettings(Section):
    """`[output]`: what a command prints."""

    format: Literal["text", "json"] = "text"
    quiet: bool = False
