"""Everything that a server holds, as objects of the API: for tests, and for the emulator's own pages.

Lists of the API may show less: they lag, and are paged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from importer.emulator.application import Application, shown
from importer.emulator.customers import parsed
from importer.emulator.documents import document_object
from importer.emulator.limits import limit_object, limits_of
from importer.emulator.related_store import Beneficiary, Document
from importer.emulator.settings import EmulatorSettings
from importer.emulator.store import Store


class Contents:
    """What one server holds, each sort in the order of its creation.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, store: Store, settings: EmulatorSettings, clock: Callable[[], float]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    def customers(self) -> Iterator[dict[str, Any]]:
        """Give every customer, visible in lists or not, with what its newest application says."""
        pages = (self._store.with_verification(page, self._now_ms()) for page in self._store.pages())
        return (parsed(body) for page in pages for body in page)

    def newest_customers(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """Give a slice of the customers, the newest first."""
        return [parsed(body) for body in self._store.select("1", (), "seq DESC", limit, offset)]

    def beneficiaries(self, customer_id: str | None = None) -> Iterator[dict[str, Any]]:
        """Give the beneficial owners of a customer; None: of all."""
        related = self._store.related
        found = related.pages(Beneficiary) if customer_id is None else [related.beneficiaries(customer_id)]
        return (parsed(row.body) for page in found for row in page)

    def limits(self, customer_id: str) -> list[dict[str, Any]]:
        """Give the limits of a customer; amounts are `Decimal`."""
        return [limit_object(limit) for limit in limits_of(customer_id, self._store, self._settings)]

    def applications(self) -> Iterator[dict[str, Any]]:
        """Give every application for identity verification, as it is now."""
        now_ms = self._now_ms()
        return (shown(row, now_ms) for page in self._store.related.pages(Application) for row in page)

    def documents(self) -> Iterator[dict[str, Any]]:
        """Give every document, with `status`, and `length` and `sha256` of the bytes that arrived."""
        return (document_object(row) for page in self._store.related.pages(Document) for row in page)

    def counts(self) -> dict[str, int]:
        """Count the objects of each sort."""
        return {"customers": self._store.total, **self._store.related.counts()}

    def repeats(self) -> dict[str, int]:
        """Count what says the same as an earlier object of its sort; for limits, repeated writes."""
        return self._store.related.repeats()

    def duplicates(self) -> dict[str, int]:
        """Count the customers beyond the first of each import key and `externalId`."""
        return {"importKey": self._store.surplus("stamp"), "externalId": self._store.surplus("external_id")}

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
