"""Signatures of plans, Ed25519 (RFC 8032): made with a private key, checked with a public one. Judges no person."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from importer.core.commands import Commands
from importer.core.distribution import how_to_install
from importer.core.errors import UsageError
from importer.core.plans import Role, Signature

if TYPE_CHECKING:
    from types import ModuleType

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX = "ed25519:"
_FORMAT = "importer-signature 1"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Signer:
    """A person whose private key is at hand.

    Args:
        name: as the policy calls them.
    """

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> str:
        """The public key, as the policy holds it."""
        return PREFIX + base64.b64encode(self.private.public_key().public_bytes_raw()).decode()


def sign(plan_sha256: str, role: Role, signer: Signer, now: float) -> Signature:
    """Sign a plan.

    Args:
        plan_sha256: of the plan, its signatures aside.
        now: seconds since the epoch.
    """
    made = signer.private.sign(_signed(plan_sha256, role, signer.name, now))
    text = base64.b64encode(made).decode()
    return Signature(role=role, name=signer.name, key=signer.public, signed_at=now, signature=text)


def is_genuine(signature: Signature, plan_sha256: str, key: str) -> bool:
    """Whether the owner of a key has signed this plan, in this role and at this time.

    Args:
        plan_sha256: of the plan, its signatures aside.
        key: the public key that the policy holds.

    Raises:
        UsageError: the library that checks it is not installed.
    """
    library = ed25519()
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # `ed25519` has said if it is missing

    public = library.Ed25519PublicKey.from_public_bytes(raw_key(key))
    content = _signed(plan_sha256, signature.role, signature.name, signature.signed_at)
    try:
        public.verify(base64.b64decode(signature.signature, validate=True), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def raw_key(key: str) -> bytes:
    """The bytes of a public key.

    Raises:
        ValueError: it is not one.
    """
    try:
        raw = base64.b64decode(key.removeprefix(PREFIX), validate=True)
    except ValueError:
        raw = b""
    if not key.startswith(PREFIX) or len(raw) != _KEY_BYTES:
        raise ValueError(f"a public key as `{Commands().show_key()}` prints it: {PREFIX}…")
    return raw


def ed25519() -> ModuleType:
    """The library that signs.

    Raises:
        UsageError: it is not installed.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519 as library  # noqa: PLC0415  # only who signs pays
    except ImportError:
        raise UsageError(
            "Keys and signatures of plans need a library that is not installed.",
            how_to_install("approval"),
        ) from None
    return library


def _signed(plan: str, role: Role, name: str, signed_at: float) -> bytes:
    said = {"format": _FORMAT, "plan": plan, "role": role, "name": name, "signed_at": signed_at}
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
