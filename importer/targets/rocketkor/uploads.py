"""Bytes to the addresses that the API gives for them: often those of another host.

No token and no header of ours goes along, no redirect is followed, and an address is never stored, logged or shown: who
has it may upload. Https, or plain http on this machine. Putting the same bytes there twice changes nothing, so a put
that fails is tried again at once, and each try waits for its slot of the run's rate. Never sleeps.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final
from urllib.parse import urlsplit

from yarl import URL

from importer.core.errors import ProfileError, StoppingError
from importer.core.outcomes import Reply, Verdict
from importer.core.ports import Limiter
from importer.targets.access import TargetAccess, is_loopback
from importer.targets.rocketkor.classification import judge_failure
from importer.targets.rocketkor.http import NETWORK_ERRORS, Answer, HttpClient, proxy_for, trust

TRIES: Final = 3

_CODE: Final = "upload_failed"
_ADDRESS: Final = re.compile(r"[!-~]{1,8192}")
_TRY_AGAIN: Final = frozenset({408, 425, 429})
_NO_ADDRESS = "The API gave no address that the document may be uploaded to."
_NO_ANSWER = "The document could not be uploaded: no answer came from the host that the API named for it."
_STOPPED = "The run stopped before the document was uploaded."


class Uploads:
    """Puts documents where the API says.

    Args:
        access: how patient to be.
        limiter: asked for a slot right before each request.
    """

    def __init__(self, access: TargetAccess, limiter: Limiter) -> None:
        self._access = access
        self._limiter = limiter
        self._clients: dict[bool, HttpClient] = {}

    async def put(self, address: object, content: bytes) -> Reply:
        """Put bytes to an address, in a few tries.

        Returns:
            `accept`; `reject` where they will never be taken; else `retry`: putting them again may help, and does no
            harm.
        """
        url = upload_url(address)
        if url is None:
            return _failed(_NO_ADDRESS)
        said = _failed(_NO_ADDRESS)
        for _ in range(TRIES):
            said = await self._try(url, content)
            if said.verdict is Verdict.ACCEPT:
                return said
            if said.verdict not in {Verdict.IN_DOUBT, Verdict.RETRY}:
                return said._replace(verdict=Verdict.REJECT)  # of this document alone: the host is not the API
        # Without its status: a host that is not the API says nothing about the API's rate.
        return said._replace(verdict=Verdict.RETRY, http_status=None)

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()

    async def _try(self, url: URL, content: bytes) -> Reply:
        try:
            client = await self._client(url)
            slot = await self._limiter.reserve(finishing=True)
            return judge_upload(await client.call("PUT", url, {}, slot, content))
        except (ProfileError, StoppingError) as error:
            return _failed(str(error) if isinstance(error, ProfileError) else _STOPPED)
        except NETWORK_ERRORS as failure:
            return judge_failure(failure, creating=True)._replace(message=_NO_ANSWER)

    async def _client(self, url: URL) -> HttpClient:
        """Return the connections for a way out of this network: by the proxy, or direct."""
        direct = url.scheme == "http" or is_loopback(url.host or "")
        proxy = None if direct else proxy_for(url.raw_authority)
        if (proxy is None) not in self._clients:
            tls = await asyncio.to_thread(trust)
            if (proxy is None) not in self._clients:
                self._clients[proxy is None] = HttpClient(self._access, tls, proxy, bare=True)
        return self._clients[proxy is None]


def upload_url(address: object) -> URL | None:
    """Read an address as it came, character by character; None: nothing may be uploaded there."""
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        return None
    try:
        parts = urlsplit(address)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        named = parts.hostname and parts.port != 0 and "@" not in parts.netloc
        url = URL(address, encoded=True)
        return url if safe and named and str(url).lower() == address.lower() else None
    except ValueError:
        return None


def judge_upload(answer: Answer) -> Reply:
    """Judge the answer of an upload host; it is not the API, so what it says in words or about rates is not read."""
    if 200 <= answer.status < 300:
        return Reply(Verdict.ACCEPT, http_status=answer.status, took_s=answer.took_s)
    said = _failed(f"The document could not be uploaded (HTTP {answer.status}).")
    verdict = said.verdict
    if answer.status >= 500 or answer.status in _TRY_AGAIN:
        verdict = Verdict.RETRY if answer.status == 429 else Verdict.IN_DOUBT
    return said._replace(verdict=verdict, http_status=answer.status, took_s=answer.took_s)


def _failed(message: str) -> Reply:
    return Reply(Verdict.REJECT, error_code=_CODE, message=message)
