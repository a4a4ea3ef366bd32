"""The codes of a target's answers, or of the lack of one, where the API gives no code of its own. Data only.

Which answer gets which code, and whether the server could have acted, is in the target's package.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.core.issues import IssueCode

_CORRECT = "Correct the rows in rejects.csv as their message says, and give the file back to the run."
_RETRY = "Retry the run: such a row is looked up first, and sent only if its customer is not there."
_ADDRESS = "Correct `base_url` of the target in the profile, then resume the run."
_ACCESS = "Check the credentials and the role of the key, then resume the run."
_PROXY = "Check HTTPS_PROXY and NO_PROXY, then resume the run."
_NETWORK = "Check the network (doctor finds what is wrong with it), then retry the run."
_TARGET = "Ask who runs the target, then retry the run."

_TITLES_AND_FIXES: Mapping[str, tuple[str, str]] = {
    # the row itself
    "bad_request": ("The API finds data missing or wrong", _CORRECT),
    "rule_failed": ("The API refuses the row by a business rule", _CORRECT),
    "refused": ("The API refused the row", _CORRECT),
    "too_large": ("The API finds the row too large", _CORRECT),
    "conflict": ("The API has a customer like this already", "Compare the row with the customer at the target."),
    # who may
    "access_refused": ("The API refused the API key", _ACCESS),
    "unauthenticated": ("The API refused the access token", _ACCESS),
    "forbidden": ("The API key may not create customers", _ACCESS),
    "token_unreadable": ("An access token that cannot be read", _TARGET),
    "token_short_lived": ("Access tokens end before they can be used", _TARGET),
    # the address
    "no_such_address": ("No API of this kind at this address", _ADDRESS),
    "not_acceptable": ("No API of this kind at this address", _ADDRESS),
    "media_type": ("No API of this kind at this address", _ADDRESS),
    "redirected": ("The address answers with a redirect", _ADDRESS),
    "bad_address": ("Not a valid address", _ADDRESS),
    "proxy_auth": ("The proxy requires a login", _PROXY),
    "proxy_refused": ("The proxy refuses the target", _PROXY),
    "proxy_failed": ("The proxy could not be used", _PROXY),
    "tls_certificate": (
        "The server's certificate is not trusted",
        "Check `base_url`; for a certificate authority of your own set SSL_CERT_FILE. Then resume the run.",
    ),
    # nothing was sent
    "dns_failure": ("The target's name is not found", _NETWORK),
    "connect_failed": ("No answer at the target's address", _NETWORK),
    "connect_timeout": ("No connection in time", _NETWORK),
    "connection_stale": ("The server keeps closing its connections", _NETWORK),
    "tls_failed": ("No secure connection", _NETWORK),
    "rate_limited": ("The API asks for fewer requests", "Lower `delivery.rate`, then retry the run."),
    "misdirected": ("A server that is not in charge", _RETRY),
    "too_early": ("The server asks for the request later", _RETRY),
    # sent, and no clear answer
    "request_timeout": ("The server gave up waiting", _RETRY),
    "server_fault": ("A fault of the server", _RETRY),
    "bad_gateway": ("A gateway without a good answer", _RETRY),
    "unavailable": ("The API is not available", _RETRY),
    "gateway_timeout": ("A gateway timed out", _RETRY),
    "timeout": ("The server did not answer in time", _RETRY),
    "read_timeout": ("The server did not answer in time", _RETRY),
    "disconnected": ("The connection broke before the answer", _RETRY),
    "connection_lost": ("The connection broke before the answer", _RETRY),
    "connection_reset": ("The connection broke before the answer", _RETRY),
    "answer_unreadable": ("An answer that cannot be read", _RETRY),
    "unexpected": ("An unexpected error while sending", _RETRY),
    # look-ups
    "look_up_incomplete": ("The list of customers is incomplete", _RETRY),
    "no_look_up_key": ("Nothing in the row by which it could be looked up", _TARGET),
    "id_unusable": ("A customer's id that cannot be asked for", _TARGET),
}

ANSWER_CODES: Mapping[str, IssueCode] = MappingProxyType(
    {code: IssueCode(code, title, "", fix) for code, (title, fix) in _TITLES_AND_FIXES.items()}
)
"""Code to its entry; the sentence about a row comes with the answer."""
