"""The key that a user of the console signs plans with: their own, by their name, unlocked by their password."""

from __future__ import annotations

from importer.approval import KeyFile, Signer, key_folder, keys_in
from importer.console.access import RefusedError, Session
from importer.console.texts import t


def own_key_file(session: Session) -> KeyFile | None:
    """The key of a user; None: they have none on this machine."""
    return next((key for key in keys_in(key_folder()) if key.name == session.user), None)


def own_signer(session: Session, password: str) -> Signer:
    """Unlock the key of a user.

    Args:
        password: theirs; the key is locked by it.

    Raises:
        RefusedError: they have no key here.
        AccessError: the password is another one.
    """
    found = own_key_file(session)
    if found is None:
        raise RefusedError(t("approve.no_key", user=session.user), t("approve.make_key", user=session.user))
    return found.unlock(password)
