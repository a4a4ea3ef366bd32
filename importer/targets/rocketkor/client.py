"""RocketKOR as a target: creates, finds, fetches and changes customers, and takes the steps after a create.

One attempt a call; never sleeps, never retries. How requests are made is the session's business, what their answers
mean is decided beside it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from yarl import URL

from importer.core.outcomes import Found, Record, Reply, Verdict
from importer.core.ports import Clock, Files, Limiter
from importer.core.step_tasks import Applications, HeldLimit, StepFound, StepReply, StepTask, VerificationProfile
from importer.core.steps import Step
from importer.targets.access import TargetAccess
from importer.targets.rocketkor.changes import Changes
from importer.targets.rocketkor.classification import accepted, judge_look_up, judge_refusal
from importer.targets.rocketkor.classification_rules import OF_A_ROW_OR_THE_ADDRESS
from importer.targets.rocketkor.documents import Documents
from importer.targets.rocketkor.http import open_http_client
from importer.targets.rocketkor.limits import Limits
from importer.targets.rocketkor.lookups import NEWEST, LookUps, as_candidate, listed
from importer.targets.rocketkor.owners import Owners
from importer.targets.rocketkor.pages import Page, created_at, is_safe_in_a_path, read_page
from importer.targets.rocketkor.rate_headers import rate_hint
from importer.targets.rocketkor.session import Session
from importer.targets.rocketkor.tokens import ServiceAccount
from importer.targets.rocketkor.updates import Updates
from importer.targets.rocketkor.uploads import Uploads
from importer.targets.rocketkor.verification import Verifications

_NO_ADDRESS: Final = "The customer's id has characters that no address can hold, so it was not read."
_SEVERAL: Final = 3
"""This many answers in a row that say the address is wrong are believed, though customers were created before."""


class RocketKorTarget:
    """The RocketKOR API behind the ports of `core.ports.target`.

    Args:
        session: makes the requests; closed with the target.
        uploads: puts documents where the API says; closed with the target.
    """

    def __init__(self, session: Session, uploads: Uploads) -> None:
        self._session = session
        self._customers = URL(f"{session.api}/customers")
        self._look_ups = LookUps(self._page, self.get)
        self._uploads = uploads
        self._owners = Owners(session)
        self._documents = Documents(session, uploads)
        self._verifications = Verifications(session)
        self._limits = Limits(session)
        changes = Changes(session, self.get)
        self._attempts: Mapping[Step, Callable[[StepTask], Awaitable[StepReply]]] = {
            Step.BENEFICIARIES: self._owners.attempt,
            Step.LIMITS: self._limits.attempt,
            Step.DOCUMENTS: self._documents.attempt,
            Step.VERIFICATION: self._verifications.attempt,
            Step.UPDATE: Updates(session, self.get).attempt,
            Step.SUSPEND: changes.suspend,
            Step.DELETE: changes.delete,
        }
        self._has_created = False
        self._strange = 0
        """Creates in a row whose answers say that the address is wrong."""

    def __repr__(self) -> str:
        return f"RocketKorTarget({str(self._customers)!r})"

    @property
    def server_ahead_s(self) -> float | None:
        """How far its clock was ahead of ours when it was last asked for a token, in seconds; None: not known."""
        return self._session.server_ahead_s

    async def send(self, record: Record) -> Reply:
        """Try once to create the customer."""
        answer = await self._session.ask("POST", self._customers, record.payload)
        if isinstance(answer, Reply):
            return answer
        now = self._session.now()
        said = accepted(answer, now) or judge_refusal(answer, record.payload, now, self._session.secrets)
        return self._in_context(said)

    def _in_context(self, reply: Reply) -> Reply:
        """Where customers were created before, an answer that says the address is wrong is about the row, at first."""
        if reply.http_status not in OF_A_ROW_OR_THE_ADDRESS:
            self._has_created |= reply.verdict is Verdict.ACCEPT
            self._strange = 0
            return reply
        self._strange += 1
        if not self._has_created or self._strange >= _SEVERAL:
            return reply
        message = f"The API refused this row (HTTP {reply.http_status}), though it has created others."
        return reply._replace(verdict=Verdict.REJECT, message=message)

    async def find(self, record: Record) -> Found:
        """Fetch every customer that could be this record, by externalId or else by email and type."""
        failure = await self._session.know_the_time() if record.doubt_since is not None else None
        if failure is not None:
            return Found(failure=failure)
        return self._dated(await self._look_ups.find(record, self._session.server_now()))

    def _dated(self, found: Found) -> Found:
        """Say when customers were created, where it is known how far the server's clock is ahead."""
        if self.server_ahead_s is None or not found.candidates:
            return found
        return replace(
            found, candidates=tuple(replace(one, created_at=created_at(one.body)) for one in found.candidates)
        )

    async def get(self, customer_id: str) -> Found:
        """Fetch one customer: one candidate, none when there is no such customer, or the failure."""
        if not is_safe_in_a_path(customer_id):
            return Found(failure=Reply(Verdict.REJECT, error_code="id_unusable", message=_NO_ADDRESS))
        url = URL(f"{self._customers}/{quote(customer_id, safe='')}", encoded=True)
        answer = await self._session.read(url)
        if isinstance(answer, Reply):
            return Found(failure=answer)
        hint = rate_hint(answer.headers, self._session.now())
        if answer.status == 404:
            return Found(allowance=hint, took_s=answer.took_s)
        candidate = as_candidate(read_page(answer.body)) if answer.status == 200 else None
        if candidate is None:
            # What we know of this customer is its id alone, so nothing the API says can be cleared of its data.
            return Found(failure=judge_look_up(answer._replace(body=None), b"", self._session.now()))
        return Found((candidate,), allowance=hint, took_s=answer.took_s)

    async def newest(self) -> Found:
        """Fetch one page of customers, the newest first, or the failure."""
        page = await self._page(NEWEST, b"")
        if isinstance(page, Reply):
            return Found(failure=page)
        return Found(listed(page.content), allowance=page.allowance, took_s=page.took_s)

    async def attempt(self, task: StepTask) -> StepReply:
        """Try once to do a step, with as many requests as it takes."""
        return await self._attempts[task.step](task)

    async def made_by(self, task: StepTask) -> StepFound:
        """Look for what an attempt in doubt may have made."""
        return await (self._owners if task.step is Step.BENEFICIARIES else self._verifications).made_by(task)

    async def progress(self, task: StepTask) -> StepReply:
        """Ask once for the state of a submitted verification."""
        return await self._verifications.progress(task)

    async def limits_of(self, customer_id: str) -> Reply | Sequence[HeldLimit]:
        """Fetch the limits of one customer, or the failure."""
        return await self._limits.held(customer_id)

    async def applications(self, since: float, page: int) -> Reply | Applications:
        """Fetch one page of the identity verifications submitted since a moment, the earliest first, or the failure."""
        return await self._verifications.listed(since, page)

    async def verification_profiles(self) -> Reply | Sequence[VerificationProfile]:
        """Fetch every profile that the account has, or the failure."""
        return await self._verifications.profiles()

    def verify_by(self, profile: VerificationProfile) -> None:
        """Choose the profile that `attempt` submits to, and that look-ups match."""
        self._verifications.profile_id = profile.id

    def files_from(self, files: Files) -> None:
        """Say where the bytes of documents come from."""
        self._documents.files = files

    async def check(self) -> Reply | None:
        """Exchange the credentials for a token once, for real; the token is kept for use."""
        return await self._session.log_in()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._uploads.aclose()
        await self._session.aclose()

    async def _page(self, query: str, payload: bytes) -> Page | Reply:
        answer = await self._session.read(URL(f"{self._customers}?{query}", encoded=True))
        if isinstance(answer, Reply):
            return answer
        now, content = self._session.now(), read_page(answer.body) if answer.status == 200 else None
        if content is None:
            return judge_look_up(answer, payload, now, self._session.secrets)
        return Page(content, answer.took_s or 0.0, rate_hint(answer.headers, now))


async def open_target(access: TargetAccess, limiter: Limiter, clock: Clock) -> RocketKorTarget:
    """Open the target in the running event loop; no request is made yet.

    Raises:
        ProfileError: HTTPS_PROXY, SSL_CERT_FILE or SSL_CERT_DIR say something that cannot be used.
        UsageError: a credential is missing or cannot be sent.
    """
    account = ServiceAccount.of(access)
    session = Session(access.base_url, account, await open_http_client(access), limiter, clock)
    return RocketKorTarget(session, Uploads(access, limiter))
