"""A copy is what the store holds, byte for byte: damage that leaves the length as it is, is found."""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from importer.core.errors import SourceError
from importer.profile import Profile
from importer.readers.remote.fetching import Verification
from importer.runs.wiring.remote_sources import LocalCopy, local_copy
from tests.remote_servers import TEXT, Gateway, Sshd, Web, before

PROFILE = Profile()
SHA256 = hashlib.sha256(TEXT).hexdigest()
DAMAGED = TEXT.replace(b"Ann", b"Amn", 1)
PART = 5 * 2**20


def fetched(address: str, **given: object) -> LocalCopy:
    with local_copy(address, PROFILE, lambda _: None, **given) as local:  # type: ignore[arg-type]
        return local


def broken(address: str, **given: object) -> str:
    with pytest.raises(SourceError, match="arrived damaged") as caught:
        fetched(address, **given)
    return str(caught.value)


class Moment:
    """A stop that never stops anything; being asked is when something else happens."""

    reason = ""

    def __init__(self, what: Callable[[], None]) -> None:
        self._what = what

    @property
    def requested(self) -> bool:
        self._what()
        return False


# --------------------------------------------------------------------------- sftp


def test_sftp_is_compared_with_the_checksum_file_beside_it(at_home: Sshd) -> None:
    source = at_home.root / "summed.csv"
    source.write_bytes(TEXT)
    beside = source.with_name("summed.csv.sha256")
    for line in (SHA256, f"{SHA256}  summed.csv\n", f"SHA256 (summed.csv) = {SHA256.upper()}\n"):
        beside.write_text(line)
        assert fetched(at_home.address(source)).verification is Verification.SUM_FILE

    source.write_bytes(DAMAGED)
    assert "summed.csv.sha256" in broken(at_home.address(source))
    beside.write_text("to come\n")
    with pytest.raises(SourceError, match="There is no SHA-256 in"):
        fetched(at_home.address(source))


def test_sftp_without_a_checksum_file_is_read_twice(at_home: Sshd) -> None:
    source = at_home.root / "twice.csv"
    source.write_bytes(TEXT)
    assert fetched(at_home.address(source)).verification is Verification.READ_AGAIN

    at = source.stat().st_mtime_ns

    def damage() -> None:
        source.write_bytes(DAMAGED)
        os.utime(source, ns=(at, at))

    assert "second reading" in broken(at_home.address(source), stop=Moment(damage))


# --------------------------------------------------------------------------- s3


@pytest.fixture
def gateway(s3: dict[str, str]) -> Iterator[Gateway]:
    """A proxy before the S3 server that spoils what a test names."""
    with (
        before(s3["AWS_ENDPOINT_URL"]) as running,
        mock.patch.dict(os.environ, {**s3, "AWS_ENDPOINT_URL": running.url}),
    ):
        yield running


@contextmanager
def damaged(gateway: Gateway, name: str) -> Iterator[None]:
    def spoil(method: str, path: str, body: bytes) -> bytes:
        return body.replace(b"Ann", b"Amn", 1) if method == "GET" and path.startswith(f"/inbox/{name}") else body

    gateway.spoil = spoil
    yield
    assert ("GET", f"/inbox/{name}") in {(method, path.partition("?")[0]) for method, path in gateway.seen}


def upload(name: str, *parts: bytes, **how: str) -> None:
    """Upload without the sums that newer libraries add by themselves."""
    import boto3
    from botocore.config import Config

    plain = Config(request_checksum_calculation="when_required")
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=plain)
    target = {"Bucket": "inbox", "Key": name}
    if len(parts) == 1:
        client.put_object(**target, Body=parts[0], **how)
        return
    upload_id = client.create_multipart_upload(**target, **how)["UploadId"]
    sent = [
        client.upload_part(**target, UploadId=upload_id, PartNumber=number, Body=part)["ETag"]
        for number, part in enumerate(parts, 1)
    ]
    done = {"Parts": [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(sent, 1)]}
    client.complete_multipart_upload(**target, UploadId=upload_id, MultipartUpload=done)


def test_s3_in_one_part_is_compared_with_its_etag(gateway: Gateway) -> None:
    upload("one.csv", TEXT)
    assert fetched("s3://inbox/one.csv").verification is Verification.STORE
    with damaged(gateway, "one.csv"):
        broken("s3://inbox/one.csv")


@pytest.mark.parametrize("lengths", [(PART, PART, 77), (PART, PART + 3, PART + 7, 1)])
def test_s3_in_many_parts_is_compared_with_the_etag_of_its_parts(gateway: Gateway, lengths: tuple[int, ...]) -> None:
    upload("parts.csv", *((TEXT * 2000)[:length] for length in lengths))
    assert fetched("s3://inbox/parts.csv").verification is Verification.STORE
    with damaged(gateway, "parts.csv"):
        broken("s3://inbox/parts.csv")


def test_s3_with_a_key_of_the_customer_is_read_twice_as_its_etag_is_not_a_checksum(gateway: Gateway) -> None:
    upload("kms.csv", TEXT, ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/customers")
    assert fetched("s3://inbox/kms.csv").verification is Verification.READ_AGAIN


def test_s3_is_compared_with_the_checksum_that_its_sender_asked_for(gateway: Gateway) -> None:
    upload("asked.csv", TEXT, ChecksumAlgorithm="SHA256", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/customers")
    assert fetched("s3://inbox/asked.csv").verification is Verification.STORE


# --------------------------------------------------------------------------- gs


def test_gs_of_composed_objects_is_read_twice(gs: Web) -> None:
    assert fetched("gs://inbox/night/customers.csv").verification is Verification.STORE
    gs.headers["md5Hash"] = ""
    assert fetched("gs://inbox/night/customers.csv").verification is Verification.READ_AGAIN


# --------------------------------------------------------------------------- https


@pytest.mark.parametrize(
    "headers",
    [
        {"Repr-Digest": f"unknown=:AAAA:, sha-256=:{b64encode(hashlib.sha256(TEXT).digest()).decode()}:"},
        {"Repr-Digest": f"sha-512=:{b64encode(hashlib.sha512(TEXT).digest()).decode()}:"},
        {"Digest": f"SHA-256={b64encode(hashlib.sha256(TEXT).digest()).decode()}"},
        {"Content-MD5": b64encode(hashlib.md5(TEXT, usedforsecurity=False).digest()).decode()},
    ],
)
def test_https_is_compared_with_the_checksum_in_a_header(site: Web, headers: dict[str, str]) -> None:
    site.headers.update(headers)
    assert fetched(f"{site.url}/out/customers.csv").verification is Verification.STORE
    site.files["/out/customers.csv"] = DAMAGED
    broken(f"{site.url}/out/customers.csv")


def test_https_is_compared_with_the_checksum_file_beside_it(site: Web) -> None:
    site.files["/out/customers.csv.sha256"] = f"{'0' * 64}  other.csv\n{SHA256}  customers.csv\n".encode()
    assert fetched(f"{site.url}/out/customers.csv").verification is Verification.SUM_FILE
    site.files["/out/customers.csv"] = DAMAGED
    broken(f"{site.url}/out/customers.csv")


def test_https_with_nothing_but_a_size_says_so(site: Web) -> None:
    site.files["/out/customers.csv.sha256"] = b"<html>There is no such page, and that is all."
    plain = fetched(f"{site.url}/out/customers.csv")
    assert plain.verification is Verification.SIZE
    assert plain.warning == f"Only the size of {plain.origin} could be checked: its server gives no hash of it."

    site.with_length = False
    assert fetched(f"{site.url}/out/customers.csv").verification is Verification.NONE


def test_a_signed_address_is_good_for_its_own_path_alone(site: Web) -> None:
    fetched(f"{site.url}/out/customers.csv?signature=abc")
    assert {path for _, path in site.seen} == {"/out/customers.csv?signature=abc"}


def test_a_file_of_this_machine_needs_no_verification(tmp_path: Path) -> None:
    assert fetched(str(tmp_path / "a.csv")).verification is None
