"""The policy file: where it is, what it may say, and who may change it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from importer.approval import load_policy, policy_place, writers_of
from importer.core.errors import AccessError, ImporterError, ProfileError
from importer.doctor.approval import check_approval
from importer.profile import Profile
from tests.approvals import Office

NOWHERE = Path("/nonexistent/approval.toml")
EXAMPLE = Path(__file__).parents[3] / "configs" / "approval" / "approval.toml"


def named(path: Path) -> dict[str, str]:
    return {"IMPORTER_APPROVAL_POLICY": str(path)}


def test_the_file_of_the_system_goes_before_the_variable(tmp_path: Path) -> None:
    ours, other = Office(tmp_path / "a", "a.example.com").decrees(), Office(tmp_path / "b", "b.example.com").decrees()

    policy = load_policy(named(other), ours)

    assert policy is not None
    assert (policy.named("a.example.com"), policy.named("b.example.com")) == ("sandbox", "")
    assert policy_place(named(other), NOWHERE) == other
    assert load_policy({}, NOWHERE) is None


@pytest.mark.parametrize("kind", ["missing", "folder", "dangling link"])
def test_a_policy_that_cannot_be_read_is_never_no_policy(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "approval.toml"
    if kind == "folder":
        path.mkdir()
    if kind == "dangling link":
        path.symlink_to(tmp_path / "gone")

    with pytest.raises(AccessError, match=r"cannot be read: .*; nothing is sent without it"):
        load_policy(named(path), NOWHERE)
    if kind != "missing":
        with pytest.raises(AccessError):
            load_policy({}, path)


KEY = "ed25519:" + "A" * 43 + "="


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("signatures = 1", "signatures: "),
        ("valid = 7", ""),
        ("validity = '7d'", "validity: there is no such key"),
        ("[people.ben]\nkey = 'ed25519:short'", "people.ben.key: a public key as `importer key show NAME` prints it"),
        (f"[people.a]\nkey = '{KEY}'\n[people.b]\nkey = '{KEY}'", "a and b have the same key"),
        (f"[people.a]\nkey = '{KEY}'\napproves = [{{ targets = ['live'] }}]", "a approves for 'live'"),
        ("[targets.a]\nhost = 'h'\n[targets.b]\nhost = 'H'", "two targets have the same host"),
        (f"[people.a]\nkey = '{KEY}'\napproves = [{{ targets = [], jobs = ['return'] }}]", "people.a.approves.0.jobs"),
        ("[people", "it is not TOML"),
    ],
)
def test_a_wrong_policy_is_refused_with_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "approval.toml"
    path.write_text(text, encoding="utf-8")
    if not reason:
        assert load_policy(named(path), NOWHERE) is not None
        return

    with pytest.raises(ProfileError) as caught:
        load_policy(named(path), NOWHERE)
    assert reason in caught.value.message
    assert "nothing is sent until it is right" in caught.value.message


# --------------------------------------------------------------------------- the doctor


def found(path: Path | None, settings: dict[str, object] | None = None) -> tuple[str, str]:
    profile = Profile.load(None, options=settings or {}, environ={})
    (*_, one) = check_approval(profile, {} if path is None else named(path), NOWHERE)
    return one.status, one.message


def test_without_a_policy_nothing_is_wrong_unless_the_profile_asks_for_approvals() -> None:
    assert found(None) == ("ok", "no policy: plans need no signature")
    status, message = found(None, {"approval.required": True})
    assert (status, "no policy that says who approves" in message) == ("fail", True)


def test_whoever_may_change_the_policy_is_not_bound_by_it(tmp_path: Path) -> None:
    path = Office(tmp_path, "a.example.com").decrees()

    assert list(writers_of(path))
    status, message = found(path)
    assert status == "warn"
    assert ("root runs" in message) == (os.geteuid() == 0)


def test_a_policy_binds_who_may_neither_write_it_nor_its_folders(tmp_path: Path) -> None:
    path, stranger = Office(tmp_path, "a.example.com").decrees(), 65_534

    assert list(writers_of(path, stranger, lambda _: False)) == []
    assert list(writers_of(path, stranger, lambda one: one == path)) == [f"may write {path}"]
    assert list(writers_of(path, stranger, lambda one: one == tmp_path)) == [f"may replace files in {tmp_path}"]
    assert next(writers_of(path, path.stat().st_uid, lambda _: False)) == f"owns {path}"
    assert f"owns {tmp_path}" in writers_of(path, tmp_path.stat().st_uid, lambda _: False)


def test_a_link_to_a_policy_can_be_replaced_in_its_own_folder(tmp_path: Path) -> None:
    path, folder = Office(tmp_path / "safe", "a.example.com").decrees(), tmp_path / "open"
    folder.mkdir()
    link = folder / "approval.toml"
    link.symlink_to(path)

    assert list(writers_of(link, 65_534, lambda one: one == folder)) == [f"may replace files in {folder}"]


def test_a_folder_that_protects_what_others_own_is_no_way_in(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    path = Office(tmp_path, "a.example.com").decrees()

    assert list(writers_of(path, 65_534, lambda one: one == tmp_path)) == []


def test_an_unreadable_policy_fails_the_doctor_as_it_fails_a_run(tmp_path: Path) -> None:
    status, message = found(tmp_path / "gone.toml")

    assert (status, "cannot be read" in message) == ("fail", True)
    with pytest.raises(ImporterError):
        load_policy(named(tmp_path / "gone.toml"), NOWHERE)


def test_a_variable_without_effect_is_said(tmp_path: Path) -> None:
    path = Office(tmp_path, "a.example.com").decrees()
    first, *_ = check_approval(Profile(), named(tmp_path / "other.toml"), path)

    assert (first.status, "has no effect" in first.message) == ("warn", True)


def test_the_example_of_a_policy_is_one_and_explains_itself() -> None:
    policy = load_policy(named(EXAMPLE), NOWHERE)

    assert policy is not None
    assert (policy.signatures, policy.valid) == (2, 7 * 86_400)
    assert {one.approval for one in policy.targets.values()} == {True, False}
    assert all(one.host.endswith(".example.com") for one in policy.targets.values())
    assert max(map(len, EXAMPLE.read_text(encoding="utf-8").splitlines())) <= 140
