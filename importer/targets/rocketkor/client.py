"""RocketKOR as a target: creates, finds and fetches customers. One attempt a call; never sleeps, never retries.

The one exception is a token that ran out under way: a request refused with 401 was not processed (API
facts, section 1), so it is made once more with a fresh token. A 403 means the role, unless the token is at
its end. Every request waits for its slot of the run's rate first: tokens, creates, look-ups, replays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import quote

from yarl import URL

from importer.core.errors import AccessError
from importer.core.outcomes import Found, Record, Reply, Verdict
from importer.core.ports import Clock, Limiter, Slot
from importer.targets.access import TargetAccess
from importer.targets.rocketkor import KIND
from importer.targets.rocketkor.classification import (
    accepted,
    judge_exchange,
    judge_failure,
    judge_look_up,
    judge_refusal,
    server_ahead_s,
)
from importer.targets.rocketkor.classification_rules import OF_A_ROW_OR_THE_ADDRESS
from importer.targets.rocketkor.http import ANSWER_LIMIT_BYTES, NETWORK_ERRORS, Answer, HttpClient, open_http_client
from importer.targets.rocketkor.lookups import (
    NEWEST,
    LookUps,
    Page,
    as_candidate,
    created_at,
    is_safe_in_a_path,
    listed,
    read_page,
)
from importer.targets.rocketkor.rate_headers import rate_hint
from importer.targets.rocketkor.tokens import NoTokenError, ServiceAccount, Token, Tokens, read_token

PAGE_LIMIT_BYTES: Final = 8 * 1024 * 1024
"""A page of a hundred customers beyond this is cut off."""

_NO_ADDRESS: Final = "The customer's id has characters that no address can hold, so it was not read."
_SEVERAL: Final = 3
"""This many answers in a row that say the address is wrong are believed, though customers were created before."""
_TOKEN_ROUNDS: Final = 10
_TOO_SHORT_LIVED: Final = Reply(
    Verdict.RETRY,
    error_code="token_short_lived",
    shared=True,
    message="Every access token expired before a request could be made with it: the rate is too low for its lifetime.",
)


class RocketKorTarget:
    """The RocketKOR API behind the ports `Target`, `Finder` and `Checker`.

    Args:
        base_url: where the API lives.
        account: who we are.
        http: the open connections; closed with the target.
        limiter: asked for a slot right before each request.
        clock: for token lifetimes and dates in answers.
    """

    def __init__(
        self, base_url: str, account: ServiceAccount, http: HttpClient, limiter: Limiter, clock: Clock
    ) -> None:
        api = KIND.without_api_path(base_url) + KIND.api_path
        self._customers = URL(f"{api}/customers")
        self._exchange_url = URL(f"{api}/api-keys/exchange")
        self._account = account
        self._http = http
        self._limiter = limiter
        self._clock = clock
        self._tokens = Tokens(self._exchange, clock)
        self._look_ups = LookUps(self._page, self.get)
        self._has_created = False
        self._strange = 0
        """Creates in a row whose answers say that the address is wrong."""
        self.server_ahead_s: float | None = None

    def __repr__(self) -> str:
        return f"RocketKorTarget({str(self._customers)!r})"

    async def send(self, record: Record) -> Reply:
        """Try once to create the customer."""
        try:
            answer = await self._call("POST", self._customers, record.payload)
        except AccessError as refusal:
            return _refused(refusal)
        except NoTokenError as error:
            return error.reply  # known not created: the request itself was never made
        except NETWORK_ERRORS as failure:
            return judge_failure(failure, creating=True)
        now = self._clock.now()
        return self._in_context(accepted(answer, now) or judge_refusal(answer, record.payload, now, self._secrets()))

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
        try:
            if record.doubt_since is not None:
                await self._have_token()  # its answer says how far the server's clock is ahead
        except AccessError as refusal:
            return Found(failure=_refused(refusal))
        except NoTokenError as error:
            return Found(failure=error.reply)
        ahead_s = self.server_ahead_s
        found = await self._look_ups.find(record, None if ahead_s is None else self._clock.now() + ahead_s)
        return self._dated(found)

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
        answer = await self._read(url)
        if isinstance(answer, Reply):
            return Found(failure=answer)
        hint = rate_hint(answer.headers, self._clock.now())
        if answer.status == 404:
            return Found(allowance=hint, took_s=answer.took_s)
        candidate = as_candidate(read_page(answer.body)) if answer.status == 200 else None
        if candidate is None:
            # What we know of this customer is its id alone, so nothing the API says can be cleared of its data.
            return Found(failure=judge_look_up(answer._replace(body=None), b"", self._clock.now()))
        return Found((candidate,), allowance=hint, took_s=answer.took_s)

    async def newest(self) -> Found:
        """Fetch one page of customers, the newest first, or the failure."""
        page = await self._page(NEWEST, b"")
        if isinstance(page, Reply):
            return Found(failure=page)
        return Found(listed(page.content), allowance=page.allowance, took_s=page.took_s)

    async def check(self) -> Reply | None:
        """Exchange the credentials for a token once, for real; the token is kept for use."""
        try:
            await self._tokens.obtain()
        except NoTokenError as error:
            return error.reply
        return None

    async def aclose(self) -> None:
        """Close every connection."""
        await self._tokens.aclose()
        await self._http.aclose()

    async def _call(self, method: str, url: URL, data: bytes | None = None, limit: int = ANSWER_LIMIT_BYTES) -> Answer:
        """Make one request; what creates nothing may still start in a run that stops."""
        token, answer = await self._once(method, url, data, limit)
        if answer.status == 401 or (answer.status == 403 and self._tokens.looks_expired(token)):
            self._tokens.discard(token)
            _, answer = await self._once(method, url, data, limit)
        return answer

    async def _once(self, method: str, url: URL, data: bytes | None, limit: int) -> tuple[Token, Answer]:
        token, slot = await self._token_and_slot(finishing=data is None)
        headers = token.headers if data is None else token.posting
        return token, await self._http.call(method, url, headers, slot, data, limit_bytes=limit)

    async def _have_token(self) -> None:
        if self._tokens.current() is None:
            await self._tokens.obtain()

    async def _token_and_slot(self, *, finishing: bool) -> tuple[Token, Slot]:
        """Return a valid token once a slot is ours; a wait for the slot that outlives the token costs neither."""
        for _ in range(_TOKEN_ROUNDS):
            await self._have_token()
            slot = await self._limiter.reserve(finishing=finishing)
            token = self._tokens.current()
            if token is not None:
                return token, slot
            slot.give_back()
        raise NoTokenError(_TOO_SHORT_LIVED)

    def _secrets(self) -> tuple[str, ...]:
        return (*self._account.secrets, *self._tokens.recent)

    async def _exchange(self) -> Token:
        slot = await self._limiter.reserve(finishing=True)
        asked_at = self._clock.monotonic()
        try:
            answer = await self._http.call("POST", self._exchange_url, self._account.headers, slot)
        except NETWORK_ERRORS as failure:
            raise self._no_token(judge_failure(failure, creating=False), asked_at) from None
        now = self._clock.now()
        self.server_ahead_s = server_ahead_s(answer.headers, now)
        token = read_token(answer.body or b"", asked_at) if answer.status in {200, 201} else None
        if token is None:
            judged = judge_exchange(answer, now)
            raise judged if isinstance(judged, AccessError) else self._no_token(judged, asked_at)
        hint = rate_hint(answer.headers, now)
        self._limiter.learn(Reply(Verdict.ACCEPT, http_status=answer.status, allowance=hint, took_s=answer.took_s))
        return token

    def _no_token(self, failure: Reply, asked_at: float) -> NoTokenError:
        """Report to the limiter, once for all who wait for this token."""
        failure = failure._replace(shared=True, took_s=self._clock.monotonic() - asked_at)
        self._limiter.learn(failure)
        return NoTokenError(failure)

    async def _page(self, query: str, payload: bytes) -> Page | Reply:
        answer = await self._read(URL(f"{self._customers}?{query}", encoded=True))
        if isinstance(answer, Reply):
            return answer
        now, content = self._clock.now(), read_page(answer.body) if answer.status == 200 else None
        if content is None:
            return judge_look_up(answer, payload, now, self._secrets())
        return Page(content, answer.took_s or 0.0, rate_hint(answer.headers, now))

    async def _read(self, url: URL) -> Answer | Reply:
        try:
            return await self._call("GET", url, None, PAGE_LIMIT_BYTES)
        except AccessError as refusal:
            return _refused(refusal)
        except NoTokenError as error:
            return error.reply
        except NETWORK_ERRORS as failure:
            return judge_failure(failure, creating=False)


def _refused(refusal: AccessError) -> Reply:
    return Reply(Verdict.ABORT, error_code="access_refused", message=str(refusal))


async def open_target(access: TargetAccess, limiter: Limiter, clock: Clock) -> RocketKorTarget:
    """Open the target in the running event loop; no request is made yet.

    Raises:
        ProfileError: HTTPS_PROXY, SSL_CERT_FILE or SSL_CERT_DIR say something that cannot be used.
        UsageError: a credential is missing or cannot be sent.
    """
    account = ServiceAccount.of(access)
    return RocketKorTarget(access.base_url, account, await open_http_client(access), limiter, clock)
