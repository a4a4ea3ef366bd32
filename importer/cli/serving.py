"""`emulator`: the local RocketKOR server for other tools and for rehearsals."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.output import print_json, say
from importer.core.errors import UsageError

if TYPE_CHECKING:
    from importer.emulator import Emulator, EmulatorSettings


@dataclass(frozen=True)
class EmulatorOptions(opt.OptionSet):
    """What only `emulator` takes."""

    host: str = opt.option(opt.OWN, "A loopback address.", default="127.0.0.1")
    port: int = opt.option(opt.OWN, "0 takes a free one.", default=8080, min=0, max=65_535)
    store: Path | None = opt.option(opt.OWN, "Keep customers and what belongs to them in this file.", "FILE")
    faults: str | None = opt.option(opt.OWN, "A preset or a TOML file of faults.")
    limit: str | None = opt.option(opt.OWN, "Answer 429 above this rate; several with commas between them.", "10/s")
    rate_headers: Literal["off", "ietf", "draft", "x", "x-epoch"] = opt.option(
        opt.OWN, "How answers announce --limit: RateLimit, its drafts, X-RateLimit.", default="off"
    )
    role: Literal["admin", "view-only"] = opt.option(opt.OWN, "What the credentials may do.", default="admin")
    token_ttl: float = opt.option(opt.OWN, "How long a token is valid.", "SECONDS", default=3600.0, min=0.1)
    expiry_status: Literal["401", "403"] = opt.option(opt.OWN, "The answer to an expired token.", default="401")
    error_body: Literal["v3", "v2"] = opt.option(opt.OWN, "Errors as newer or older documents show them.", default="v3")
    external_ids: Literal["409", "422", "off"] = opt.option(
        opt.OWN, "The answer to an externalId in use; off: allowed.", default="409"
    )
    list_lag: float = opt.option(opt.OWN, "How much later lists show a customer.", "SECONDS", default=0.0, min=0.0)
    idv_seconds: float = opt.option(
        opt.OWN, "How long an identity verification takes; 0: it is completed at once.", "SECONDS", default=2.0, min=0.0
    )


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, emulator, "importer emulator --port 8080 --faults flaky")


def emulator(*, own: EmulatorOptions, shared: opt.Shared) -> None:
    """Serve the emulator on this machine until Ctrl-C.

    Real HTTP, no real customers. Prints where it listens and the credentials it accepts: random ones, or
    EMULATOR_API_KEY and EMULATOR_API_SECRET of the environment (or the same with _FILE). There is no option for them,
    since the process list shows options. /_emulator shows what arrived and the customers, /_emulator/arrivals every
    request.

    A last name with DECLINE, REVIEW or DOCUMENTS decides how an identity verification ends.

    A file of faults may also hold rate, rate_headers, error_body and external_ids, written as the options of that name,
    list_lag_s, clock_ahead_s and idv_s in seconds, metadata (keep, drop, lower), second_application (created, 409) and
    individual_party (individual, customer).
    """
    import asyncio  # noqa: PLC0415

    from importer.emulator import run_forever  # noqa: PLC0415

    try:
        asyncio.run(run_forever(_settings(own), lambda ready: _print_ready(ready, as_json=shared.json)))
    except ValueError as error:
        raise UsageError(f"{error}") from error
    except OSError as error:
        where = f"{own.host}:{own.port}"
        raise UsageError(f"The emulator cannot listen on {where}: {error.strerror}.", "Try --port 0.") from error


def _settings(own: EmulatorOptions) -> EmulatorSettings:
    from importer.emulator import EmulatorSettings, Faults  # noqa: PLC0415

    return EmulatorSettings(
        host=own.host,
        port=own.port,
        store=own.store,
        faults=Faults.load(own.faults) if own.faults else None,
        rates=_limits(own.limit) if own.limit else (),
        rate_headers=own.rate_headers,
        role=own.role,
        token_ttl_s=own.token_ttl,
        expiry_status=403 if own.expiry_status == "403" else 401,
        error_body=own.error_body,
        enforce_external_id=own.external_ids,
        list_lag_s=own.list_lag,
        idv_s=own.idv_seconds,
        **_credentials(),
    )


def _print_ready(emulator: Emulator, *, as_json: bool) -> None:
    shown = {"base_url": emulator.base_url, "api_key": emulator.api_key, "api_secret": emulator.api_secret}
    if as_json:
        print_json({"command": "emulator", **shown, "exit_code": 0, "error": None})
        sys.stdout.flush()
        return
    say(f"The emulator listens on {emulator.base_url} until Ctrl-C; what arrived: {emulator.base_url}/_emulator")
    say("To import into it, put base_url into a target of your profile and set:")
    from importer.core.target_kinds import DEFAULT_KIND, target_kind  # noqa: PLC0415

    names = (one.variable for one in target_kind(DEFAULT_KIND).credentials)
    pairs = zip(names, (emulator.api_key, emulator.api_secret), strict=True)
    say(f"  export {' '.join(f'{name}={secret}' for name, secret in pairs)}")


def _limits(text: str) -> tuple[tuple[int, float], ...]:
    from importer.emulator import parse_rates  # noqa: PLC0415

    try:
        return parse_rates(text)
    except ValueError as error:
        raise UsageError(f"--limit: {error}.") from None


def _credentials() -> dict[str, Any]:
    """The credentials that the environment names; none: random ones."""
    from importer.profile.credentials import secret_of  # noqa: PLC0415

    names = {"api_key": "EMULATOR_API_KEY", "api_secret": "EMULATOR_API_SECRET"}
    found = {field: secret_of(name, os.environ) for field, name in names.items()}
    return {field: secret.get_secret_value() for field, secret in found.items() if secret is not None}
