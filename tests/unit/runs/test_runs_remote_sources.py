"""Sources at an address: fetched whole or not at all, and never a secret in a message."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from importer.core.errors import AccessError, ImporterError, InterruptedRunError, SourceError, TryLaterError, UsageError
from importer.delivery import StopSwitch
from importer.profile import Profile
from importer.runs.wiring.remote_sources import is_remote, local_copy, shown
from tests.remote_servers import TEXT, Sshd, Web, authority, keygen, web

PROFILE = Profile()


def fetched(address: str, spool: Path | None = None, **given: object) -> bytes:
    with local_copy(address, PROFILE, lambda _: None, spool=spool, **given) as local:  # type: ignore[arg-type]
        assert local.path.stat().st_mode & 0o777 == 0o600
        assert local.path.parent.stat().st_mode & 0o777 == 0o700
        return local.path.read_bytes()


def refused(address: str, kind: type[ImporterError] = SourceError) -> str:
    with pytest.raises(kind) as caught:
        fetched(address)
    assert "canary" not in str(caught.value)
    return str(caught.value)


# --------------------------------------------------------------------------- sftp


def test_sftp_fetches_with_the_users_own_key(at_home: Sshd) -> None:
    source = at_home.root / "customers.csv"
    source.write_bytes(TEXT)

    assert fetched(at_home.address(source)) == TEXT


def test_sftp_from_a_host_that_nobody_knows_is_refused(at_home: Sshd, tmp_path: Path) -> None:
    source = at_home.root / "customers.csv"
    source.write_bytes(TEXT)
    stranger = keygen(tmp_path / "other").split(" ", 1)[1]
    known = at_home.home / ".ssh" / "known_hosts"
    before = known.read_text()
    try:
        for text in ("", f"[127.0.0.1]:{at_home.port} ssh-ed25519 {stranger}"):
            known.write_text(text)
            assert "known_hosts" in refused(at_home.address(source))
    finally:
        known.write_text(before)


def test_sftp_with_the_wrong_key_is_refused(at_home: Sshd, tmp_path: Path) -> None:
    source = at_home.root / "customers.csv"
    source.write_bytes(TEXT)
    (tmp_path / ".ssh").mkdir()
    keygen(tmp_path / ".ssh" / "id_ed25519")
    (tmp_path / ".ssh" / "known_hosts").write_text((at_home.home / ".ssh" / "known_hosts").read_text())
    with mock.patch.dict(os.environ, {"HOME": str(tmp_path)}):
        message = refused(at_home.address(source, "root:canary-password@"), AccessError)

    assert "access was refused" in message
    assert "ssh key" in message


def test_sftp_reports_a_missing_file(at_home: Sshd) -> None:
    assert "no such file" in refused(at_home.address(at_home.root / "missing.csv"))
    assert "is a folder" in refused(at_home.address(at_home.root))


def test_a_file_that_grows_between_two_looks_is_left_alone(at_home: Sshd) -> None:
    source = at_home.root / "growing.csv"
    source.write_bytes(TEXT)

    def upload_goes_on(_: float) -> None:
        with source.open("ab") as file:
            file.write(b"more\n")

    with (
        pytest.raises(TryLaterError, match="still being written"),
        local_copy(at_home.address(source), PROFILE, upload_goes_on),
    ):
        pytest.fail("it was taken")


# --------------------------------------------------------------------------- s3


@pytest.mark.usefixtures("in_aws")
def test_s3_fetches_with_the_environments_credentials() -> None:
    assert fetched("s3://inbox/night/customers.csv") == TEXT


@pytest.mark.usefixtures("in_aws")
def test_s3_reports_a_missing_file() -> None:
    assert "no such file" in refused("s3://inbox/night/missing.csv")
    assert "no such file" in refused("s3://no-such-bucket/customers.csv")


def test_s3_without_credentials_says_where_they_are_looked_for(s3: dict[str, str], tmp_path: Path) -> None:
    bare = {"HOME": str(tmp_path), "AWS_ENDPOINT_URL": s3["AWS_ENDPOINT_URL"], "AWS_EC2_METADATA_DISABLED": "true"}
    with mock.patch.dict(os.environ, bare, clear=True):
        assert "AWS_PROFILE" in refused("s3://inbox/night/customers.csv", AccessError)


# --------------------------------------------------------------------------- gs


def test_gs_fetches_and_compares_the_stores_hash(gs: Web) -> None:
    assert fetched("gs://inbox/night/customers.csv") == TEXT

    gs.headers["md5Hash"] = "1B2M2Y8AsgTpgAmY7PhCfg=="
    assert "arrived damaged" in refused("gs://inbox/night/customers.csv")


def test_gs_reports_a_missing_file(gs: Web) -> None:
    assert "no such file" in refused("gs://inbox/missing.csv")


# --------------------------------------------------------------------------- https


def test_http_fetches_and_compares_the_state_twice_before_and_once_after(site: Web) -> None:
    assert fetched(f"{site.url}/out/customers.csv") == TEXT
    assert [method for method, path in site.seen if path == "/out/customers.csv"][:4] == ["HEAD", "HEAD", "GET", "HEAD"]


def test_a_server_without_a_length_is_read_to_its_end(site: Web) -> None:
    site.with_length = False
    assert fetched(f"{site.url}/out/customers.csv") == TEXT


def test_a_transfer_that_breaks_off_is_an_error(site: Web) -> None:
    site.cut_at = 100
    assert "broke off" in refused(f"{site.url}/out/customers.csv", TryLaterError)


def test_a_server_that_falls_silent_is_given_up(site: Web) -> None:
    silent = threading.Event()

    def fall_silent(method: str, _path: str) -> None:
        if method == "GET":
            silent.wait(10)

    site.on_request = fall_silent
    profile = PROFILE.with_options({"remote.silence_s": 0.2})
    try:
        with (
            pytest.raises(TryLaterError, match="cannot be reached, or broke off"),
            local_copy(f"{site.url}/out/customers.csv", profile, lambda _: None),
        ):
            pytest.fail("it was taken")
    finally:
        silent.set()


def test_a_hash_that_does_not_fit_is_refused(site: Web) -> None:
    site.headers["Content-MD5"] = "1B2M2Y8AsgTpgAmY7PhCfg=="
    assert "arrived damaged" in refused(f"{site.url}/out/customers.csv")


def test_a_file_that_changes_during_the_transfer_is_left_alone(site: Web) -> None:
    def change_after_the_transfer(method: str, _path: str) -> None:
        site.headers["ETag"] = f'"{sum(one == "GET" for one, _ in site.seen)}"'

    site.on_request = change_after_the_transfer
    assert "still being written" in refused(f"{site.url}/out/customers.csv", TryLaterError)


def test_user_and_password_of_an_address_are_used_and_never_shown(site: Web) -> None:
    site.password = "ann:canary"
    good = site.url.replace("//", "//ann:canary@")
    assert fetched(f"{good}/out/customers.csv?token=canary") == TEXT

    bad = site.url.replace("//", "//ann:canary-wrong@")
    message = refused(f"{bad}/out/customers.csv?token=canary", AccessError)
    assert "access was refused" in message
    assert f"{site.url}/out/customers.csv" in message


def test_a_netrc_is_used(site: Web, tmp_path: Path) -> None:
    site.password = "ann:canary"
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password canary\n")
    with mock.patch.dict(os.environ, {"NETRC": str(netrc)}):
        assert fetched(f"{site.url}/out/customers.csv") == TEXT


def test_an_empty_file_is_refused_before_it_is_fetched(site: Web) -> None:
    site.files["/empty.csv"] = b""
    assert "is empty" in refused(f"{site.url}/empty.csv")
    assert "GET" not in {method for method, _ in site.seen}


@pytest.mark.parametrize("with_length", [True, False])
def test_a_file_that_is_too_large_is_not_fetched_to_its_end(site: Web, with_length: bool) -> None:
    site.with_length = with_length
    profile = PROFILE.with_options({"source.limits.max_file_bytes": 100})
    with (
        pytest.raises(SourceError, match="larger than the 100 bytes"),
        local_copy(f"{site.url}/out/customers.csv", profile, lambda _: None),
    ):
        pytest.fail("it was taken")


def test_a_stop_ends_the_transfer(site: Web) -> None:
    stop = StopSwitch()
    stop.request("sigterm", "Stopped.")
    with pytest.raises(InterruptedRunError):
        fetched(f"{site.url}/out/customers.csv", stop=stop)


def test_https_never_follows_a_redirect_to_plain_http(tmp_path: Path) -> None:
    trusted, context = authority(tmp_path)
    with web() as plain, web(context) as safe, mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(trusted)}):
        plain.files["/customers.csv"] = TEXT
        safe.files["/customers.csv"] = TEXT
        safe.redirects = {"/down": f"{plain.url}/customers.csv", "/over": f"{safe.url}/customers.csv"}
        host = safe.url.replace("127.0.0.1", "localhost")

        assert fetched(f"{host}/customers.csv") == TEXT
        assert fetched(f"{host}/over") == TEXT
        assert "not safe" in refused(f"{host}/down")
        assert plain.seen == []


def test_a_missing_server_and_a_missing_file_are_different_errors() -> None:
    assert "cannot be reached" in refused("http://127.0.0.1:9/customers.csv", TryLaterError)


def test_a_host_that_no_name_server_knows_is_an_error_that_may_pass() -> None:
    message = refused("sftp://files.invalid/customers.csv", TryLaterError)

    assert "sftp://files.invalid/customers.csv cannot be fetched: its server cannot be reached" in message


# --------------------------------------------------------------------------- addresses and copies


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ftp://files.example.com/a.csv", "sftp://"),
        ("https://", "names no file"),
        ("https://files.example.com/", "names no file"),
        ("s3://bucket", "names no file"),
        ("https://files.example.com:0/a.csv", "names no file"),
        ("sftp://[::1/a.csv", "names no file"),
        ("http://files.example.com/a.csv", "https://"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_at_once(address: str, said: str) -> None:
    assert said in refused(address, UsageError)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("sftp://ann:canary@host:22/a.csv", "sftp://host:22/a.csv"),
        ("https://host/a.csv?X-Amz-Signature=canary#canary", "https://host/a.csv"),
        ("https://ann%40x:p%2Fcanary@host/a.csv", "https://host/a.csv"),
    ],
)
def test_an_address_is_shown_without_anything_that_may_be_secret(address: str, text: str) -> None:
    assert shown(address) == text


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert not is_remote(path)
    assert not is_remote("C:\\a.csv")
    assert not is_remote("-")
    with local_copy(path, PROFILE, lambda _: None) as local:
        assert (local.path, local.origin) == (path, str(path))


def test_copies_go_with_the_run_and_those_of_killed_runs_with_the_next(site: Web, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    (spool / "copy-of-a-killed-run").mkdir(parents=True)
    (spool / "copy-of-a-killed-run" / "customers.csv").write_bytes(TEXT)
    with local_copy(f"{site.url}/out/customers.csv", PROFILE, lambda _: None, spool=spool) as mine:
        assert [folder.name for folder in spool.iterdir()] == [mine.path.parent.name]
        assert fetched(f"{site.url}/out/customers.csv", spool=spool) == TEXT
        assert mine.path.exists()

    assert list(spool.iterdir()) == []


def test_the_pause_between_two_looks_is_the_profiles(site: Web) -> None:
    pauses: list[float] = []
    with local_copy(f"{site.url}/out/customers.csv", PROFILE, pauses.append):
        pass

    assert pauses == [PROFILE.remote.settle_s] == [2.0]
    waiting: Callable[[float], None] = pauses.append
    with local_copy(f"{site.url}/out/customers.csv", PROFILE.with_options({"remote.settle_s": 0}), waiting):
        pass
    assert pauses[-1] == 0.0


def test_an_unknown_certificate_authority_is_refused(tmp_path: Path) -> None:
    _, context = authority(tmp_path)
    with web(context) as safe:
        safe.files["/customers.csv"] = TEXT
        assert "SSL_CERT_FILE" in refused(f"{safe.url.replace('127.0.0.1', 'localhost')}/customers.csv")
