"""A journal in a database that knows SQL: where its parts are put together."""

from __future__ import annotations

from collections.abc import Callable

from importer.core.contract import Contract
from importer.core.runtime import in_a_thread
from importer.core.states import RowState
from importer.journal.matching import Merging
from importer.journal.port.delivery import RunBlocking, RunToSend
from importer.journal.port.lots import RunLots
from importer.journal.port.shared_state import SharedState
from importer.journal.runs import StoredRun
from importer.journal.sql.accounts import Accounts
from importer.journal.sql.database import Database
from importer.journal.sql.delivery import RunDelivery
from importer.journal.sql.earlier_runs import EarlierRuns
from importer.journal.sql.entries import Files, Places, Plans, Receipts
from importer.journal.sql.intake import RunIntake
from importer.journal.sql.purging import Purging
from importer.journal.sql.replay import Replay
from importer.journal.sql.returns import Returns, RunRows
from importer.journal.sql.runs import Runs
from importer.journal.sql.steps import RunSteps


class SqlJournal:
    """One journal, open. Implements `port.Journal`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.runs = Runs(database)
        self.earlier = EarlierRuns(database)
        self.receipts = Receipts(database)
        self.files = Files(database)
        self.plans = Plans(database)
        self.places = Places(database)
        self.purging = Purging(database)

    @property
    def writes(self) -> bool:
        return self._db.writes

    def accounts(self, secret: bytes) -> Accounts:
        return Accounts(self._db, secret)

    def intake(
        self,
        run: int,
        contract: Contract,
        *,
        valid_state: RowState = RowState.READY,
        keyed: bool = True,
        merging: Merging | None = None,
        keeps_bodies: bool = False,
    ) -> RunIntake:
        return RunIntake(
            self._db,
            run,
            contract,
            valid_state=valid_state,
            keyed=keyed,
            merging=merging,
            keeps_bodies=keeps_bodies,
        )

    def delivery(
        self,
        sending: RunToSend,
        now: Callable[[], float],
        target_now: Callable[[], float] | None = None,
        *,
        run_blocking: RunBlocking = in_a_thread,
    ) -> RunDelivery:
        return RunDelivery(self._db, sending, now, target_now or now, run_blocking)

    def lots(self, run: int) -> RunLots:
        return self._db.lots(run)

    def shared_state(self, scope: str) -> SharedState:
        return self._db.shared_state(scope)

    def replay(self, run: int, *, show_open: bool = False) -> Replay:
        return Replay(self._db, run, show_open=show_open)

    def rows(self, run: int) -> RunRows:
        return RunRows(self._db, run)

    def steps(self, run: int) -> RunSteps:
        return RunSteps(self._db, run)

    def returns(self, stored: StoredRun) -> Returns:
        return Returns(self._db, stored.run, stored.header.scope)

    def require_integrity(self) -> None:
        self._db.require_integrity()

    def check_integrity(self) -> None:
        self._db.check_integrity()

    def accept_as_it_is(self, *, gives_up_runs: bool = False) -> None:
        self._db.accept_as_it_is(gives_up_runs=gives_up_runs)

    def keep(self) -> None:
        self._db.keep()

    def close(self) -> None:
        self._db.close()
