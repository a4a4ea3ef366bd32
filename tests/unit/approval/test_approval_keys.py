"""Keys: made once, for their owner alone, and found again."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from importer.approval import chosen_key, is_genuine, key_folder, new_key
from importer.core.errors import AccessError, UsageError
from importer.core.plans import Signature


def test_a_key_is_readable_for_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    made = new_key(tmp_path / "keys", "ben")
    content = made.path.read_bytes()

    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700
    with pytest.raises(UsageError, match="it is not replaced"):
        new_key(tmp_path / "keys", "ben")
    assert made.path.read_bytes() == content
    assert made.unlock().public == made.unlock().public
    assert made.unlock().public.startswith("ed25519:")


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    made = new_key(tmp_path, "ben")
    made.path.chmod(0o640)

    with pytest.raises(AccessError, match="may be read by others"):
        made.unlock()


def test_a_locked_key_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    made = new_key(tmp_path, "ben", "correct horse")

    assert made.is_locked
    assert b"correct horse" not in made.path.read_bytes()
    assert made.unlock("correct horse").name == "ben"
    with pytest.raises(AccessError, match="is wrong"):
        made.unlock("another")
    with pytest.raises(AccessError, match="is locked"):
        made.unlock()


def test_a_passphrase_that_no_key_can_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="longer than 1,023 bytes"):
        new_key(tmp_path, "ben", "x" * 1_024)
    assert not list(tmp_path.iterdir())
    assert new_key(tmp_path, "ben", "\udcff").unlock("\udcff").name == "ben"


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    for name in [one for one in sys.modules if one.startswith("cryptography.")]:
        monkeypatch.delitem(sys.modules, name)
    key = f"ed25519:{'A' * 43}="
    made = Signature(role="approver", name="ben", key=key, signed_at=1.0, signature="")

    with pytest.raises(UsageError, match="a library that is not installed"):
        is_genuine(made, "ab" * 32, key)


@pytest.mark.parametrize("name", ["", "../ben", "a/b", ".ben", "b n", "b" * 65, "ben.key", "ben\n", "bén"])
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a key"):
        new_key(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_what_is_not_a_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ben.key"
    path.write_text("no key", encoding="ascii")
    path.chmod(0o600)
    found = chosen_key("ben", tmp_path)

    assert found is not None
    with pytest.raises(UsageError, match="holds no Ed25519 key"):
        found.unlock()


def test_the_only_key_is_chosen_and_among_several_none(tmp_path: Path) -> None:
    assert chosen_key("", tmp_path) is None
    ben = new_key(tmp_path, "ben")
    assert chosen_key("", tmp_path) == ben
    new_key(tmp_path, "carol")
    with pytest.raises(UsageError, match=r"several keys in .*: ben, carol"):
        chosen_key("", tmp_path)
    assert chosen_key("ben", tmp_path) == ben
    assert chosen_key(str(ben.path), tmp_path / "elsewhere") == ben
    with pytest.raises(UsageError, match=r"There is no key .*That folder has ben, carol\."):
        chosen_key("dora", tmp_path)


def test_the_folder_of_keys_is_that_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert key_folder({"IMPORTER_KEYS": "/k"}) == Path("/k")
    assert key_folder({"XDG_CONFIG_HOME": "/x"}) == Path("/x/importer/keys")
    assert key_folder({}) == tmp_path / ".config" / "importer" / "keys"
