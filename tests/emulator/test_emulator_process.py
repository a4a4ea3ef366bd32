"""The emulator as a program: where it may listen, how it ends, what importing it costs."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from importer.emulator import Emulator, EmulatorSettings
from tests.emulator.client import served

_RUN = """
import asyncio, sys
from pathlib import Path
from importer.emulator import EmulatorSettings, run_forever
ended = asyncio.run(run_forever(EmulatorSettings(store=Path(sys.argv[1])), lambda e: print(e.base_url, flush=True)))
print(ended.name)
"""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])  # noqa: S104 - refused
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(ValueError, match="loopback addresses only"):
        EmulatorSettings(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
async def test_every_loopback_name_works(host: str) -> None:
    async with served(EmulatorSettings(host=host)) as caller:
        assert (await caller.create()).status == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"rates": ((0, 1.0),)},
        {"rates": ((1, 0.0),)},
        {"token_ttl_s": 0},
        {"list_lag_s": -1},
        {"page_size": 0},
        {"page_cap": 5},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        EmulatorSettings(**wrong)


async def test_a_taken_port_is_an_error_and_leaves_nothing_open(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            await Emulator(EmulatorSettings(port=port, store=store)).start()
    async with Emulator(EmulatorSettings(port=port, store=store)) as emulator:
        assert emulator.base_url == f"http://127.0.0.1:{port}"


async def test_stopping_twice_is_harmless_and_the_address_ends_with_it() -> None:
    emulator = Emulator()
    await emulator.start()
    await emulator.stop()
    await emulator.stop()

    with pytest.raises(RuntimeError, match="not started"):
        _ = emulator.base_url


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_the_standalone_server_ends_in_order_at_a_signal(tmp_path: Path, by: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-c", _RUN, str(tmp_path / "store.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/_emulator/ledger", timeout=10) as answer:  # noqa: S310 - loopback
            served_ledger = json.load(answer)
        server.send_signal(by)
        out, err = server.communicate(timeout=10)

    assert served_ledger["requests"] == 0
    assert (server.returncode, out.strip(), err) == (0, by.name, "")
    assert not (tmp_path / "store.db-wal").exists()


async def test_https_is_served_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificate can be made")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout {key} -out {certificate}"
    made = await asyncio.create_subprocess_exec(
        openssl,
        *command.split(),
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=certificate)

    async with Emulator(tls=tls) as emulator, aiohttp.ClientSession() as session:
        assert emulator.base_url.startswith("https://127.0.0.1:")
        async with session.get(f"{emulator.base_url}/_emulator/ledger", ssl=trusting) as answer:
            assert answer.status == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{emulator.base_url}/_emulator/ledger")


def test_importing_the_package_loads_no_web_server() -> None:
    program = (
        "import sys, importer.emulator; print([n for n in ('aiohttp', 'sqlite3', 'pycountry') if n in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"


def test_the_server_loads_nothing_of_the_importer_but_itself() -> None:
    program = (
        "import sys, importer.emulator.server, importer.emulator.fault_plan; "
        "print(sorted(n for n in sys.modules if n.startswith('importer') and not n.startswith('importer.emulator')))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "['importer']"


def test_an_unknown_name_is_not_in_the_package() -> None:
    import importer.emulator

    with pytest.raises(AttributeError, match="has no attribute 'Emulation'"):
        _ = importer.emulator.Emulation
