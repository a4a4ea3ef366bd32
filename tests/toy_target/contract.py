"""What a member of the club is: four fields, and how a member is recognised."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

FIELDS = ("ref", "fullName", "mail", "joined")


class MemberRecognition:
    """Recognises members. Implements `ports.Recognition`."""

    def bears(self, body: Mapping[str, Any], key: str) -> bool:
        return any(label.partition("=")[2] == key for label in _labels(body))

    def stamp_of(self, body: Mapping[str, Any], name: str) -> object | None:
        return next((label.partition("=")[2] for label in _labels(body) if label.startswith(f"{name}=")), None)

    def differences(
        self, payload: bytes, body: Mapping[str, Any], stamp: str, *, loses_metadata: bool = False
    ) -> tuple[str, ...]:
        sent = json.loads(payload)
        return tuple(sorted(name for name in FIELDS if (sent.get(name) or "") != (body.get(name) or "")))


def _labels(body: Mapping[str, Any]) -> list[str]:
    return body.get("labels") or []
