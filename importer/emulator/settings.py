"""How one emulator behaves. Values only; the credentials are random for each instance unless given."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

from importer.emulator.fault_plan import Faults
from importer.emulator.rate_limit import RateHeaders, Rates


def _new_key() -> str:
    return f"emulator-{secrets.token_hex(8)}"


def _new_secret() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """How one emulator behaves.

    Args:
        host: a loopback address; any other is refused.
        port: 0 takes a free one.
        api_key: what the token exchange accepts; by default random.
        api_secret: by default random.
        store: a SQLite file that keeps customers and what belongs to them between runs; None: in memory, lost at the
            end.
        token_ttl_s: lifetime of a token in seconds.
        rates: requests allowed in any rolling window, and the window in seconds; the rest gets 429. Several hold at
            once; none: no limit.
        rate_headers: in which spelling every answer announces the limit.
        enforce_external_id: how a second customer of one `externalId` is refused; `off`: it is created.
        list_lag_s: how much later than its creation a customer appears in lists.
        metadata: whether a customer's metadata is kept, dropped, or written in lower case.
        clock_ahead_s: how far its clock is ahead of the machine's; `Date` and `createdAt` are by that clock.
        error_body: the shape of error bodies, of the newer or the older documentation.
        expiry_status: the answer to an expired token.
        role: `view-only` may read, and gets 403 for everything else.
        page_size: customers on a page of the list where none is asked for.
        page_cap: the most that a page holds.
        stamp: the metadata name; the ledger counts its repeated values as duplicates.
        currencies: of the account; every customer has limits in each of them.
        limit_types: the limits that every customer has in each currency.
        limit_amount: what a limit is until it is set, as a decimal number in text.
        idv_s: seconds from the submission of an application to its end, where nothing halts it; 0: at once.
        second_application: whether an application is created beside an open one of the same account and profile.
        individual_party: the key of a person in what a profile of identity verification requires.
        faults: the plan of faults; None: none. What it says of the server (`Faults.settings`) holds where nothing
            else was chosen here.
        seed: instead of the plan's own; None: the plan's own.
    """

    host: str = "127.0.0.1"
    port: int = 0
    api_key: str = field(default_factory=_new_key)
    api_secret: str = field(default_factory=_new_secret, repr=False)
    store: Path | None = None
    token_ttl_s: float = 3600
    rates: Rates = ()
    rate_headers: RateHeaders = "off"
    enforce_external_id: Literal["409", "422", "off"] = "409"
    list_lag_s: float = 0.0
    metadata: Literal["keep", "drop", "lower"] = "keep"
    clock_ahead_s: float = 0.0
    error_body: Literal["v3", "v2"] = "v3"
    expiry_status: Literal[401, 403] = 401
    role: Literal["admin", "view-only"] = "admin"
    page_size: int = 20
    page_cap: int = 100
    stamp: str = "importKey"
    currencies: tuple[str, ...] = ("USD", "CAD")
    limit_types: tuple[str, ...] = ("SINGLE", "DAILY", "WEEKLY", "MONTHLY")
    limit_amount: str = "10000"
    idv_s: float = 2.0
    second_application: Literal["created", "409"] = "created"
    individual_party: Literal["individual", "customer"] = "individual"
    faults: Faults | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        self._take_settings_of_faults()
        if not _is_loopback(self.host):
            raise ValueError(
                f"the emulator serves loopback addresses only (127.0.0.1, ::1, localhost), not {self.host!r}: "
                "it has no protection against other machines"
            )
        if any(count < 1 or per_s <= 0 for count, per_s in self.rates):
            raise ValueError("the emulator's rate must allow at least 1 request in a window longer than 0 s")
        if self.token_ttl_s <= 0 or self.list_lag_s < 0 or self.idv_s < 0:
            raise ValueError("token_ttl_s must be above 0, and list_lag_s and idv_s 0 or more")
        if not 1 <= self.page_size <= self.page_cap:
            raise ValueError("page_size must be at least 1 and at most page_cap")

    def _take_settings_of_faults(self) -> None:
        chosen = self.faults.settings if self.faults is not None else {}
        for one in fields(self):
            if one.name in chosen and getattr(self, one.name) == one.default:
                object.__setattr__(self, one.name, chosen[one.name])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
