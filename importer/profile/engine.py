"""The schema of `[engine]`: what checks large files, and sends them. Values only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from importer.core.loopback import is_loopback
from importer.profile.section import Section, Written

_SCHEDULER_IS = "an address such as tls://host:8786, or tcp://127.0.0.1:8786; without TLS only on this machine"


def _scheduler(text: str) -> str:
    try:
        parts = urlsplit(text)
        has_place = bool(parts.hostname and parts.port) and not (parts.path or parts.query or parts.username)
    except ValueError:
        raise ValueError(_SCHEDULER_IS) from None
    if text and not (has_place and (parts.scheme == "tls" or (parts.scheme == "tcp" and is_loopback(text)))):
        raise ValueError(_SCHEDULER_IS)
    return text


class EngineSettings(Section):
    """`[engine]`: what checks large files, and sends them."""

    kind: Literal["asyncio", "dask"] = Field(
        "asyncio",
        description=(
            "`asyncio`: this process, to check also others (`source.processes`). `dask`: the workers of a Dask "
            "cluster check the rows of a file, and send them, together as fast as the profile says (needs the optional "
            "groups `dask`, and to send `postgres`: they share the journal)."
        ),
    )
    scheduler: Annotated[str, AfterValidator(_scheduler), Written(_SCHEDULER_IS)] = Field(
        "",
        description=(
            "With `dask`: the address of a scheduler; a Dask worker runs whatever it is sent, so tcp:// is taken on "
            "this machine only. To check, its workers need the workspace's secret: IMPORTER_SECRET_FILE in their "
            "environment, or IMPORTER_JOURNAL where that journal has it; to send, IMPORTER_JOURNAL and the target's "
            "credentials. Not set: a cluster of this machine alone, of `source.processes` workers."
        ),
    )
    tls_ca: Path | None = Field(
        None,
        description=(
            "With tls://: the certificate (PEM) of the authority that signed those of the cluster; not set: as Dask's "
            "own settings say (`distributed.comm.tls`)."
        ),
    )
    tls_cert: Path | None = Field(None, description="With tls://: this program's certificate (PEM); not set: as there.")
    tls_key: Path | None = Field(
        None, description="With tls://: its private key (PEM); not set: as there, or in the file of `tls_cert`."
    )
