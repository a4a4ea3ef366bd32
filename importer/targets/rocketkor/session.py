"""Requests in the name of one service account: each waits for its slot of the run's rate, and carries a valid token.

One attempt a call, with one exception: a request refused with 401 was not processed (API facts, section 1), so it is
made again with a fresh token, at most twice: that token may be revoked while others use it. A 403 means the role,
unless the token is at its end. Never sleeps, never judges an answer that came.
"""

from __future__ import annotations

from typing import Final

from yarl import URL

from importer.core.errors import AccessError
from importer.core.outcomes import Reply, Verdict
from importer.core.ports import Clock, Limiter, Slot
from importer.targets.rocketkor import KIND
from importer.targets.rocketkor.classification import judge_exchange, judge_failure, server_ahead_s
from importer.targets.rocketkor.http import ANSWER_LIMIT_BYTES, NETWORK_ERRORS, Answer, HttpClient
from importer.targets.rocketkor.rate_headers import rate_hint
from importer.targets.rocketkor.tokens import NoTokenError, ServiceAccount, Token, Tokens, read_token

PAGE_LIMIT_BYTES: Final = 8 * 1024 * 1024
"""A page of a hundred customers beyond this is cut off."""

_TOKEN_ROUNDS: Final = 10
_FRESH_TOKENS: Final = 2
"""A fresh one may be revoked, for everybody, before its first use; a run is not stopped for that."""
_TOO_SHORT_LIVED: Final = Reply(
    Verdict.RETRY,
    error_code="token_short_lived",
    shared=True,
    message="Every access token expired before a request could be made with it: the rate is too low for its lifetime.",
)


class Session:
    """Requests to the API, and the token that they share.

    Args:
        base_url: where the API lives.
        account: who we are.
        http: the open connections; closed with the session.
        limiter: asked for a slot right before each request.
        clock: for token lifetimes and dates in answers.

    Attributes:
        api: the address that every path of the API begins with.
        server_ahead_s: how far the API's clock was ahead of ours at the last token exchange, in seconds; None: not
            known.
    """

    def __init__(
        self, base_url: str, account: ServiceAccount, http: HttpClient, limiter: Limiter, clock: Clock
    ) -> None:
        self.api = KIND.without_api_path(base_url) + KIND.api_path
        self.server_ahead_s: float | None = None
        self._exchange_url = URL(f"{self.api}/api-keys/exchange")
        self._account = account
        self._http = http
        self._limiter = limiter
        self._clock = clock
        self._tokens = Tokens(self._exchange, clock)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What travels in headers, to redact it in what servers say; never to be shown."""
        return (*self._account.secrets, *self._tokens.recent)

    def now(self) -> float:
        """Seconds since the epoch, by our clock."""
        return self._clock.now()

    def server_now(self) -> float | None:
        """Seconds since the epoch, by the API's clock; None: not known."""
        return None if self.server_ahead_s is None else self._clock.now() + self.server_ahead_s

    async def read(self, url: URL, *, finishing: bool = True) -> Answer | Reply:
        """Make one request that changes nothing; arguments and answer as of `ask`."""
        return await self.ask("GET", url, repeatable=True, finishing=finishing)

    async def ask(
        self, method: str, url: URL, data: bytes | None = None, *, repeatable: bool = False, finishing: bool = False
    ) -> Answer | Reply:
        """Make one request, whatever its answer says.

        Args:
            repeatable: coming twice it would change nothing, so that a lost answer leaves no doubt.
            finishing: it only finishes what was begun: it may start although the run is stopping.

        Returns:
            The answer; a reply where none came.
        """
        limit_bytes = PAGE_LIMIT_BYTES if method == "GET" else ANSWER_LIMIT_BYTES
        try:
            token, answer = await self._once(method, url, data, limit_bytes, finishing=finishing)
            for _ in range(_FRESH_TOKENS):
                if not self._refuses(token, answer):
                    break
                self._tokens.discard(token)
                token, answer = await self._once(method, url, data, limit_bytes, finishing=finishing)
        except AccessError as refusal:
            return _refused(refusal)
        except NoTokenError as error:
            return error.reply  # the request itself was never made
        except NETWORK_ERRORS as failure:
            return judge_failure(failure, creating=not repeatable)
        return answer

    def _refuses(self, token: Token, answer: Answer) -> bool:
        """Whether an answer refuses the token, and not what was asked."""
        return answer.status == 401 or (answer.status == 403 and self._tokens.looks_expired(token))

    async def log_in(self) -> Reply | None:
        """Have a valid token; None when there is one.

        Raises:
            AccessError: the credentials were refused.
        """
        try:
            await self._tokens.obtain()
        except NoTokenError as error:
            return error.reply
        return None

    async def know_the_time(self) -> Reply | None:
        """Have a token, whose exchange says how far the API's clock is ahead; the failure, or None."""
        try:
            return await self.log_in()
        except AccessError as refusal:
            return _refused(refusal)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._tokens.aclose()
        await self._http.aclose()

    async def _once(
        self, method: str, url: URL, data: bytes | None, limit_bytes: int, *, finishing: bool
    ) -> tuple[Token, Answer]:
        token, slot = await self._token_and_slot(finishing=finishing)
        headers = token.headers if data is None else token.posting
        return token, await self._http.call(method, url, headers, slot, data, limit_bytes=limit_bytes)

    async def _token_and_slot(self, *, finishing: bool) -> tuple[Token, Slot]:
        """Return a valid token once a slot is ours; a wait for the slot that outlives the token costs neither."""
        for _ in range(_TOKEN_ROUNDS):
            if self._tokens.current() is None:
                await self._tokens.obtain()
            slot = await self._limiter.reserve(finishing=finishing)
            token = self._tokens.current()
            if token is not None:
                return token, slot
            slot.give_back()
        raise NoTokenError(_TOO_SHORT_LIVED)

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


def _refused(refusal: AccessError) -> Reply:
    return Reply(Verdict.ABORT, error_code="access_refused", message=str(refusal))
