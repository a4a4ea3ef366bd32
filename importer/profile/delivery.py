"""The schema of `[delivery]` and `[targets.NAME]`: how fast, how often, how patient, and where to. Values only."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
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

from importer.core.target_kinds import DEFAULT_KIND
from importer.profile.section import Section, listed
from importer.profile.value_types import Rate, RateLimits, TimeOfDay, Window, ZoneName, less

SLOW_SERVER_S = 30.0
"""Within this time after a request began a server is taken to be done with it, or not to do it."""


def _ascending(times: tuple[float, ...]) -> tuple[float, ...]:
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise ValueError("times in seconds, each later than the one before it, such as [0, 2, 8, 30]")
    return times


class DeliverySettings(Section):
    """`[delivery]`: how fast, how often, how patient."""

    rate: RateLimits = Field(
        RateLimits(windows=(Rate(count=10, per_s=1.0),)),
        description=(
            "Strict, in any rolling window, over all kinds of request; several limits hold at once. The "
            "shortest window is spread, longer ones are quotas; those of an hour and more count earlier runs "
            "of the same account too. The built-in emulator: 200/s."
        ),
    )
    max_wait_s: PositiveFloat = Field(
        3_600.0,
        description=(
            "A longer wait for a quota, or a longer pause that the server asks for, ends the run instead (exit "
            "code 75)."
        ),
    )
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = Field(
        16,
        description=(
            "Rows in flight at most; as many are as the rate and the server's latency need. A token that is "
            "renewed meanwhile is one request more. The built-in emulator: 32."
        ),
    )
    canary: NonNegativeInt | None = Field(
        None,
        description=(
            "Send one row, then this many, then the rest, if nothing new went wrong; 0: all at once. The rest is "
            "watched for a share of refusals that jumps. Not set: 10 for every target but the emulator and the "
            "sandbox."
        ),
    )
    max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(6, description="Tries of one row that are its own doing.")
    max_spared_attempts: Annotated[int, Field(ge=1, le=10_000)] = Field(
        100,
        description="Tries on top that are not: the server refused everybody (429, 503), or was down for everybody.",
    )
    max_errors: NonNegativeInt | None = Field(
        None,
        description=(
            "Stop after more than this many rows ended rejected, failed or unknown; not set: never. Invalid "
            "rows are not counted: they are not sent."
        ),
    )
    max_error_rate: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Stop when a larger share of the rows sent ended rejected, failed or unknown; not set: never."
    )
    error_rate_sample: PositiveInt = Field(50, description="Settled rows before `max_error_rate` is judged.")
    fail_fast: bool = Field(False, description="Stop at the first row that the API refuses.")
    backoff_base_s: PositiveFloat = Field(
        1.0, description="The pause before a second try, in seconds; it doubles, with some chance in it."
    )
    backoff_cap_s: PositiveFloat = Field(60.0, description="The longest pause between two tries, in seconds.")
    connect_timeout_s: PositiveFloat = Field(
        5.0, description="How long a connection may take to come about, in seconds."
    )
    read_timeout_s: PositiveFloat = Field(30.0, description="How long an answer may stay away, in seconds.")
    total_timeout_s: PositiveFloat = Field(60.0, description="How long a request may take altogether, in seconds.")
    looks_after_s: Annotated[
        tuple[NonNegativeFloat, ...], BeforeValidator(listed), Field(min_length=1), AfterValidator(_ascending)
    ] = Field(
        (0.0, 2.0, 8.0, 30.0),
        description=(
            "When a row in doubt is looked up: times after its request ended, in seconds. Only when all looks "
            "find nothing is it sent again. A target that was seen to show customers late is looked at later "
            "still."
        ),
    )
    look_again_after_s: NonNegativeFloat = Field(
        30.0,
        description=(
            "How long after its last send a row that was sent more than once is looked at again, at least, in seconds."
        ),
    )
    drain_s: PositiveFloat = Field(30.0, description="How long a stopping run waits for what is in flight, in seconds.")
    breaker_faults: PositiveInt = Field(
        20,
        description=(
            "Server faults in a row (5xx, timeouts, resets) after which all wait while single requests probe; "
            "a look-up that works does not make up for creates that fail."
        ),
    )
    breaker_probe_s: PositiveFloat = Field(
        1.0, description="The pause before the first probe, in seconds; it doubles, up to a minute."
    )
    breaker_give_up_s: PositiveFloat = Field(
        300.0,
        description=(
            "How long to probe before the run stops (exit code 4), in seconds; 10 s for a target that never "
            "gave a sound answer."
        ),
    )
    faults: str = Field(
        "",
        description=(
            "A rehearsal, for the emulator inside the run alone: a preset of `importer emulator --faults` "
            "(`migration-night`), or a file of faults."
        ),
    )
    window: Window | None = Field(
        None,
        description=(
            "Nothing is sent outside these hours; at their end a run stops well, and can be resumed. Not set: any time."
        ),
    )
    finish_by: TimeOfDay | None = Field(
        None,
        description=(
            "The forecast is compared with this time of day, and what is left then is stopped well. Not set: "
            "no such time."
        ),
    )
    timezone: ZoneName = Field("", description="The time zone of `window` and `finish_by`; empty: this computer's.")
    headroom: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="The share of `rate` that is left to others, to live traffic above all."
    )
    verify_existing: bool = Field(
        False,
        description=(
            "Look customers of earlier runs up at the target; otherwise they are reported as known from those runs."
        ),
    )
    on_existing: Literal["report", "skip", "update"] = Field(
        "report",
        description=(
            "What becomes of a row whose customer exists with other data: it is reported, left as it is without a "
            "word, or the customer is updated."
        ),
    )
    import_key_metadata: Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_.-]*$")] = Field(
        "importKey",
        description=(
            "The metadata name under which every create carries its import key; empty: none, and a row in "
            "doubt is recognised by its data alone."
        ),
    )

    @property
    def looks_caution(self) -> str:
        """A warning where look-ups end before a slow server may be done; empty: there is none."""
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


class TargetSettings(Section):
    """`[targets.NAME]`: a place to create customers in. Any key of `[delivery]` is allowed here too."""

    model_config = ConfigDict(extra="allow")

    kind: str = Field(
        DEFAULT_KIND, description="The kind of API: the built-in one, or one that another package brings."
    )
    base_url: str = Field(
        "",
        description=(
            "The address of the API as its provider gave it to you, without its version (/v1); https, but on this "
            "machine."
        ),
    )
    account: str = Field(
        "",
        description=(
            "A name for the account behind the credentials; what was created is remembered per address and "
            "account. Empty: a key that is new to the address is asked about once (`--account-of`), and the "
            "answer is remembered."
        ),
    )

    @field_validator("base_url")
    @classmethod
    def _has_no_credentials(cls, value: str) -> str:
        if "@" in value:
            raise ValueError("an address without user name or password: credentials do not belong in a profile")
        return value

    @model_validator(mode="after")
    def _overrides_are_delivery_keys(self) -> TargetSettings:
        DeliverySettings.model_validate(self.overrides)
        return self

    @property
    def overrides(self) -> dict[str, Any]:
        """The delivery keys that this target sets for itself."""
        return dict(self.model_extra or {})
