"""`importer key`: a key is made, and its public half goes into a policy."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

from tests.acceptance.conftest import User


def test_a_key_is_made_and_its_public_half_is_ready_for_the_policy(user: User) -> None:
    keys = user.home / "keys"
    made = user.types("key", "new", "ben", IMPORTER_KEYS=str(keys))

    assert made.code == 0, made.err
    private = keys / "ben.key"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert str(private) in made.err
    assert tomllib.loads(made.out)["people"]["ben"]["key"].startswith("ed25519:")
    secret = private.read_text("ascii").splitlines()[1]
    assert secret not in made.out + made.err
    again = user.types("key", "show", "ben", "--json", IMPORTER_KEYS=str(keys))
    assert again.json["public_key"] == tomllib.loads(made.out)["people"]["ben"]["key"]
    assert user.types("key", "new", "ben", IMPORTER_KEYS=str(keys)).code == 2
    assert private.read_text("ascii").splitlines()[1] == secret


def test_a_locked_key_needs_its_passphrase_which_is_nowhere(user: User) -> None:
    keys, phrase = user.home / "keys", "plainly-fictional-phrase"
    made = user.types("key", "new", "ben", "--passphrase", IMPORTER_KEYS=str(keys), IMPORTER_KEY_PASSPHRASE=phrase)
    assert made.code == 0, made.err

    refused = user.types("key", "show", "ben", IMPORTER_KEYS=str(keys))
    wrong = user.types("key", "show", "ben", IMPORTER_KEYS=str(keys), IMPORTER_KEY_PASSPHRASE="another-phrase")

    assert (refused.code, wrong.code) == (5, 5)
    assert "IMPORTER_KEY_PASSPHRASE" in refused.err
    assert "is wrong" in wrong.err
    written = [path.read_bytes() for path in Path(user.home).rglob("*") if path.is_file()]
    assert not any(phrase.encode() in content for content in written)
    assert phrase not in made.out + made.err + wrong.err


def test_without_a_terminal_no_passphrase_is_made_up(user: User) -> None:
    keys = user.home / "keys"

    refused = user.types("key", "new", "ben", "--passphrase", IMPORTER_KEYS=str(keys))

    assert (refused.code, keys.exists()) == (2, False)
