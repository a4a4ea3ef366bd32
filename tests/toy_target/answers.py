"""What the answers of the club mean, or the lack of one. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from importer.core.outcomes import Reply, Verdict

TOKEN_HEADER = "X-Club-Token"
PATH = "/club/members"

_STATUSES: Mapping[int, tuple[Verdict, str, str]] = {
    401: (Verdict.ABORT, "unauthenticated", "The club does not know the token."),
    409: (Verdict.DUPLICATE, "conflict", "The club has a member with this reference already."),
    422: (Verdict.REJECT, "rule_failed", "The club does not take such a member."),
    429: (Verdict.RETRY, "rate_limited", "The club asks for fewer requests."),
}
_FAULT = (Verdict.IN_DOUBT, "server_fault", "The club met a fault.")
_NOBODY = (Verdict.RETRY, "connect_failed", "Nobody answers at the address of the club.")
_BROKEN = (Verdict.IN_DOUBT, "disconnected", "The connection broke before the answer.")


def refusal(status: int, retry_after_s: float | None = None, *, reading: bool = False) -> Reply:
    """What a status other than success means.

    Args:
        reading: nothing would have changed: it can be asked again.
    """
    verdict, code, message = _STATUSES.get(status, _FAULT)
    if reading and verdict is Verdict.IN_DOUBT:
        verdict = Verdict.RETRY
    return Reply(verdict, http_status=status, error_code=code, message=message, retry_after_s=retry_after_s)


def no_answer(error: BaseException, *, reading: bool = False) -> Reply:
    """What it means that no answer came."""
    verdict, code, message = _NOBODY if isinstance(error, aiohttp.ClientConnectorError) else _BROKEN
    if reading and verdict is Verdict.IN_DOUBT:
        verdict = Verdict.RETRY
    return Reply(verdict, error_code=code, message=message)
