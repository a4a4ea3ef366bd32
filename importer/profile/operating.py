"""The schema of what does not decide any row: retention, logs, metrics, traces, what a command prints. Values only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveFloat,
)

from importer.profile.section import Section, Written

_AGE = re.compile(r"(?P<count>\d+)\s*(?P<unit>h|d|w)[a-z]*", re.IGNORECASE)
_AGE_IS = "an age such as 12h, 30d or 8w"
_AGE_S = {"h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


def _age(value: Any) -> Any:
    match = _AGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if isinstance(value, str) and (match is None or not int(match["count"])):
        raise ValueError(_AGE_IS)
    return int(match["count"]) * _AGE_S[match["unit"][0].lower()] if match else value


Age = Annotated[PositiveFloat, BeforeValidator(_age), Written(_AGE_IS)]
"""A length of time in seconds, written as `12h`, `30d` or `8w`."""


class RetentionSettings(Section):
    """`[retention]`: what `importer purge` takes out of the workspace."""

    older_than: Age | None = Field(
        None,
        description=(
            "`importer purge`: runs that ended longer ago than this lose their personal data; not set: "
            "`--older-than` is required."
        ),
    )


_JOURNAL_IS = "an address such as postgresql://user@host/database, without a password"


def _journal_address(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in {"postgresql", "postgres"} or parts.password or "password=" in parts.query):
        raise ValueError(_JOURNAL_IS)
    return text


class JournalSettings(Section):
    """`[journal]`: where the memory of imports is kept."""

    url: Annotated[str, AfterValidator(_journal_address), Written(_JOURNAL_IS)] = Field(
        "",
        description=(
            "The address of a PostgreSQL database, for a team that imports from several places (needs the optional "
            "group `postgres`); also IMPORTER_JOURNAL, its password IMPORTER_JOURNAL_PASSWORD_FILE. Not set: a file in "
            "the workspace."
        ),
    )
    lease_s: Annotated[float, Field(ge=1.0, le=3_600.0)] = Field(
        30.0,
        description=(
            "In PostgreSQL: how long after its last sign of life a run on a dead host keeps others from going on, in "
            "seconds."
        ),
    )


class ApprovalSettings(Section):
    """`[approval]`: plans and their signatures. Tightens the policy of the administrator, and never loosens it."""

    required: bool = Field(
        False, description="Send only what a signed plan says, also where the policy asks for no approval."
    )
    valid: Age = Field("7d", validate_default=True, description="How long a plan is good; the policy may say less.")
    signatures: Annotated[int, Field(ge=2, le=10)] = Field(
        2, description="How many people sign a plan, its author among them; the policy may say more."
    )
    key: str = Field(
        "", description="The name or the file of the key that signs; empty: the only one of the key folder."
    )


class LogSettings(Section):
    """`[log]`: what is logged while a run goes on, and how."""

    format: Literal["console", "json"] = Field(
        "console", description="How logs look on standard error; run.log.jsonl is always JSON."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe lines that are logged."
    )


class MetricsSettings(Section):
    """`[metrics]`: numbers for Prometheus; needs the optional group `metrics`."""

    textfile: Path | None = Field(
        None,
        description=(
            "Rewritten every few seconds and at the end, for the node exporter's textfile collector; named "
            "`….prom`. The figures of the last run and night of another target stay in it; remove the file "
            "to forget it. Not set: no file."
        ),
    )
    every_s: PositiveFloat = Field(15.0, description="How often `textfile` is written, in seconds.")
    port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(
        None, description="Serves `/metrics` while a run lasts, or a whole pass of nightly; not set: not served."
    )
    address: str = Field("127.0.0.1", description="Where `port` is served.")

    @property
    def wanted(self) -> bool:
        """Whether there is somewhere to show numbers."""
        return self.textfile is not None or self.port is not None


class OtelSettings(Section):
    """`[otel]`: OpenTelemetry by OTLP over HTTP; needs the optional group `otel`.

    The standard variables set address, sampling and names, `OTEL_EXPORTER_OTLP_ENDPOINT` first of all.
    """

    enabled: bool = Field(False, description="Send traces (spans run, batch, request) and metrics.")


class OutputSettings(Section):
    """`[output]`: what a command prints."""

    format: Literal["text", "json"] = Field("text", description="`json`: print one JSON object and nothing else.")
    quiet: bool = Field(False, description="Show no progress.")
