"""Exceptions for a log: the type, our own frames, the causes. Never a library's message, never a local variable.

The message of a library's exception often quotes the value that caused it. Messages of our own exceptions never do (see
`importer.core.errors`), so those are kept.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from importer.core.errors import ImporterError

_PACKAGE = Path(__file__).resolve().parent.parent
_MAX_CAUSES = 20


def explain_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by a harmless description under `exceptions` (a structlog processor)."""
    error = _exception(event.pop("exc_info", None))
    event.pop("stack_info", None)
    if error is not None:
        event["exceptions"] = [_described(link) for link in _chain(error)]
    return event


def _exception(info: Any) -> BaseException | None:
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return info[1] if isinstance(info[1], BaseException) else None
    return sys.exc_info()[1] if info else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its members if it is a group, and its causes, each once and not without end."""
    seen: set[int] = set()
    waiting = [error]
    while waiting and len(seen) < _MAX_CAUSES:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        members = link.exceptions if isinstance(link, BaseExceptionGroup) else ()
        cause = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        waiting += [*members, *([cause] if cause is not None else [])]


def _described(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    described: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}"}
    if isinstance(error, ImporterError):
        described["message"] = error.message
    if isinstance(error, OSError) and error.errno is not None:
        described["errno"] = error.errno
    described["frames"] = list(_own_frames(error))
    return described


def _own_frames(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(_PACKAGE):
            yield f"{path.relative_to(_PACKAGE.parent)}:{frame.lineno} in {frame.name}"
