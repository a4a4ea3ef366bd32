"""What an answer means: HTTP status or exception becomes a verdict, one table for each.

The question is always the same: could the server have acted? Where that is not known, the verdict is
*in doubt* and the customer is looked up before anything is sent again, since creating a customer is not
idempotent (API facts, section 6). Pure: nothing here touches the network, waits or raises.

Every entry names its source: `facts N` is section N of the API facts gathered from the provider's
developer pages, `RFC 9110` the HTTP standard.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import aiohttp
from aiohttp.client_exceptions import UnixClientConnectorError

from importer.core.outcomes import Verdict
from importer.targets.rocketkor.connections import StaleConnectionError

ABORT, DUPLICATE, IN_DOUBT, REJECT, RETRY = (
    Verdict.ABORT,
    Verdict.DUPLICATE,
    Verdict.IN_DOUBT,
    Verdict.REJECT,
    Verdict.RETRY,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a table.

    Args:
        code: ours, used where the API gives none.
        sentence: for people; what happened and, where there is one, the fix. What is unknown then is added elsewhere.
        source: where this is known from.
    """

    verdict: Verdict
    code: str
    sentence: str
    source: str


_NO_API = "There is no RocketKOR API at this address. Correct the target's base_url."
_MOVED = "The address answers with a redirect, and customers are never sent to where it points. Correct base_url."

STATUSES: Final[Mapping[int, Rule]] = MappingProxyType(
    {
        400: Rule(REJECT, "bad_request", "The API found data in this row missing or wrong.", "facts 7"),
        401: Rule(ABORT, "unauthenticated", "The API refused the access token, a fresh one too.", "facts 1"),
        403: Rule(ABORT, "forbidden", "The API key may not do this. Ask for a role that may.", "facts 1, 7"),
        # The address that creates customers always exists where the API is: missing, it is the address that is wrong.
        404: Rule(ABORT, "no_such_address", _NO_API, "facts 2, 7"),
        405: Rule(ABORT, "no_such_address", _NO_API, "facts 2; RFC 9110 15.5.6"),
        406: Rule(ABORT, "not_acceptable", _NO_API, "facts 1; RFC 9110 15.5.7"),
        407: Rule(ABORT, "proxy_auth", "The proxy requires a login. Put it into HTTPS_PROXY.", "RFC 9110 15.5.8"),
        # By the book a 408 means that the request never arrived whole, yet gateways also say it about a slow backend.
        408: Rule(IN_DOUBT, "request_timeout", "The server gave up waiting.", "RFC 9110 15.5.9"),
        409: Rule(DUPLICATE, "conflict", "The API has a customer like this already.", "facts 2.6, 7"),
        410: Rule(ABORT, "no_such_address", _NO_API, "facts 2; RFC 9110 15.5.11"),
        413: Rule(REJECT, "too_large", "The API finds this row too large.", "RFC 9110 15.5.14"),
        415: Rule(ABORT, "media_type", _NO_API, "facts 1; RFC 9110 15.5.16"),
        # Another connection may lead to a server that is in charge; this one has not worked on the request.
        421: Rule(
            RETRY, "misdirected", "The request reached a server that is not responsible for it.", "RFC 9110 15.5.20"
        ),
        422: Rule(REJECT, "rule_failed", "This row breaks a business rule of the API.", "facts 7"),
        425: Rule(RETRY, "too_early", "The server asks for the request again, later.", "RFC 8470 5.2"),
        429: Rule(RETRY, "rate_limited", "The API asks for fewer requests.", "facts 7"),
        # 301 to 303 are also how some servers answer a form that they have processed.
        301: Rule(IN_DOUBT, "redirected", _MOVED, "RFC 9110 15.4.2"),
        302: Rule(IN_DOUBT, "redirected", _MOVED, "RFC 9110 15.4.3"),
        303: Rule(IN_DOUBT, "redirected", _MOVED, "RFC 9110 15.4.4"),
        # 307 and 308 ask for the very same request elsewhere: it was not processed here.
        307: Rule(ABORT, "redirected", _MOVED, "RFC 9110 15.4.8"),
        308: Rule(ABORT, "redirected", _MOVED, "RFC 9110 15.4.9"),
        500: Rule(IN_DOUBT, "server_fault", "The server met a fault.", "facts 7"),
        502: Rule(IN_DOUBT, "bad_gateway", "A gateway got no good answer.", "facts 7, consequence 2"),
        503: Rule(IN_DOUBT, "unavailable", "The API is not available at the moment.", "facts 7"),
        504: Rule(IN_DOUBT, "gateway_timeout", "A gateway timed out.", "facts 7, consequence 2"),
    }
)

OF_A_ROW_OR_THE_ADDRESS: Final = frozenset({404, 405, 415})
"""Where customers were created at this address before, one of these is about the row, and several in a row are not."""

CLASSES: Final[Mapping[int, Rule]] = MappingProxyType(
    {
        2: Rule(IN_DOUBT, "answer_unreadable", "The API said yes without naming the new customer.", "facts 2.8"),
        3: Rule(IN_DOUBT, "redirected", _MOVED, "RFC 9110 15.4"),
        4: Rule(REJECT, "refused", "The API refused this row.", "facts 7; RFC 9110 15.5"),
        5: Rule(IN_DOUBT, "server_fault", "The server met a fault.", "facts 7; RFC 9110 15.6"),
    }
)
"""For statuses that have no line of their own, by their first digit."""

UNKNOWN_STATUS: Final = Rule(IN_DOUBT, "answer_unreadable", "The answer makes no sense.", "RFC 9110 15")

_UPLOAD_ABORTED: type[aiohttp.ClientError] = getattr(aiohttp, "UploadAbortedError", aiohttp.ClientError)

PROXY_STATUSES: Final[Mapping[int, Rule]] = MappingProxyType(
    {
        # Some proxies (tinyproxy 1.11 is one) say 401 about a wrong login, and 407 only where there is none.
        401: STATUSES[407],
        403: Rule(
            ABORT,
            "proxy_refused",
            "The proxy does not let us through to the target. Ask its owner, or name the host in NO_PROXY.",
            "RFC 9110 15.5.4",
        ),
        407: STATUSES[407],
    }
)
"""For answers of the proxy itself, to the request for a tunnel."""

_BEFORE = "facts, consequence 2: nothing was sent"
_AFTER = "facts, consequence 2: sent, not answered"
_PROXY = "The proxy could not be used. Check HTTPS_PROXY and NO_PROXY."
_ADDRESS = "The target's base_url is not an address that can be used. Correct it in the profile."
_CERTIFICATE = (
    "The server's certificate is not trusted, so nothing was sent. "
    "Check base_url; for a certificate authority of your own, set SSL_CERT_FILE."
)
_UNREADABLE = "The answer could not be read."
_BROKEN = "The connection broke before the answer came."
_SILENT = "No answer came in time."

EXCEPTIONS: Final[Mapping[type[BaseException], Rule]] = MappingProxyType(
    {
        # Before the first byte: known not created.
        StaleConnectionError: Rule(RETRY, "connection_stale", "The server keeps closing its connections.", _BEFORE),
        aiohttp.ClientConnectorDNSError: Rule(RETRY, "dns_failure", "The target's name is not found.", _BEFORE),
        aiohttp.ClientConnectorError: Rule(RETRY, "connect_failed", "No answer at the target's address.", _BEFORE),
        UnixClientConnectorError: Rule(RETRY, "connect_failed", "No answer at the address.", _BEFORE),
        aiohttp.ClientProxyConnectionError: Rule(RETRY, "proxy_failed", _PROXY, _BEFORE),
        aiohttp.ClientHttpProxyError: Rule(RETRY, "proxy_failed", _PROXY, _BEFORE),
        aiohttp.ConnectionTimeoutError: Rule(RETRY, "connect_timeout", "No connection in time.", _BEFORE),
        aiohttp.ClientSSLError: Rule(RETRY, "tls_failed", "No secure connection came about.", _BEFORE),
        aiohttp.ClientConnectorSSLError: Rule(RETRY, "tls_failed", "No secure connection came about.", _BEFORE),
        # The server is not who it should be; asking again would ask the same one. A person has to act.
        aiohttp.ClientConnectorCertificateError: Rule(ABORT, "tls_certificate", _CERTIFICATE, _BEFORE),
        aiohttp.ServerFingerprintMismatch: Rule(ABORT, "tls_certificate", _CERTIFICATE, _BEFORE),
        aiohttp.InvalidURL: Rule(ABORT, "bad_address", _ADDRESS, _BEFORE),
        aiohttp.InvalidUrlClientError: Rule(ABORT, "bad_address", _ADDRESS, _BEFORE),
        aiohttp.NonHttpUrlClientError: Rule(ABORT, "bad_address", _ADDRESS, _BEFORE),
        # After it: in doubt.
        aiohttp.ServerDisconnectedError: Rule(IN_DOUBT, "disconnected", _BROKEN, _AFTER),
        aiohttp.ServerConnectionError: Rule(IN_DOUBT, "connection_lost", _BROKEN, _AFTER),
        aiohttp.ClientConnectionResetError: Rule(IN_DOUBT, "connection_reset", _BROKEN, _AFTER),
        aiohttp.ClientOSError: Rule(IN_DOUBT, "connection_reset", _BROKEN, _AFTER),
        aiohttp.ClientConnectionError: Rule(IN_DOUBT, "connection_lost", _BROKEN, _AFTER),
        aiohttp.SocketTimeoutError: Rule(IN_DOUBT, "read_timeout", _SILENT, _AFTER),
        aiohttp.ServerTimeoutError: Rule(IN_DOUBT, "timeout", _SILENT, _AFTER),
        aiohttp.ClientPayloadError: Rule(IN_DOUBT, "answer_unreadable", _UNREADABLE, _AFTER),
        aiohttp.ContentTypeError: Rule(IN_DOUBT, "answer_unreadable", _UNREADABLE, _AFTER),
        aiohttp.WSServerHandshakeError: Rule(IN_DOUBT, "answer_unreadable", _UNREADABLE, _AFTER),
        aiohttp.TooManyRedirects: Rule(IN_DOUBT, "redirected", _MOVED, _AFTER),
        aiohttp.RedirectClientError: Rule(IN_DOUBT, "redirected", _MOVED, _AFTER),
        aiohttp.InvalidUrlRedirectClientError: Rule(IN_DOUBT, "redirected", _MOVED, _AFTER),
        aiohttp.NonHttpUrlRedirectClientError: Rule(IN_DOUBT, "redirected", _MOVED, _AFTER),
        aiohttp.ClientResponseError: Rule(IN_DOUBT, "answer_unreadable", _UNREADABLE, _AFTER),
        # Since aiohttp 3.14; before that the general line below holds.
        _UPLOAD_ABORTED: Rule(IN_DOUBT, "connection_lost", _BROKEN, _AFTER),
        aiohttp.ClientError: Rule(IN_DOUBT, "connection_lost", _BROKEN, _AFTER),
        # Not wrapped by the library: seen in the middle of things.
        TimeoutError: Rule(IN_DOUBT, "timeout", _SILENT, _AFTER),
        ssl.SSLError: Rule(IN_DOUBT, "connection_lost", _BROKEN, _AFTER),
        OSError: Rule(IN_DOUBT, "connection_lost", _BROKEN, _AFTER),
        ValueError: Rule(IN_DOUBT, "answer_unreadable", _UNREADABLE, _AFTER),
        BaseException: Rule(IN_DOUBT, "unexpected", "An unexpected error.", _AFTER),
    }
)
"""Most specific class wins; the last line is for everything else."""


def rule_for_status(status: int) -> Rule:
    """Return the line for a status that is not a success."""
    return STATUSES.get(status) or CLASSES.get(status // 100) or UNKNOWN_STATUS


def rule_for_exception(cause: BaseException) -> Rule:
    """Return the line for an exception: its own class's, else its nearest ancestor's."""
    if isinstance(cause, aiohttp.ClientHttpProxyError) and getattr(cause, "status", 0) in PROXY_STATUSES:
        return PROXY_STATUSES[cause.status]
    return next(EXCEPTIONS[kind] for kind in type(cause).__mro__ if kind in EXCEPTIONS)
