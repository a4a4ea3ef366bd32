"""Where log entries go: JSON lines into the run directory, and text (or JSON) for people on standard error.

Entries of libraries (aiohttp, asyncio) arrive here too, without anything that could hold a value. A log
that cannot be written is lost silently: logging never stops a run.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Literal, TextIO

import structlog
from structlog.contextvars import bound_contextvars, get_contextvars, merge_contextvars
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from importer.core.errors import ImporterError, StorageError
from importer.observe.exceptions import explain_exception
from importer.observe.redaction import redact

LOG_NAME = "run.log.jsonl"

Level = Literal["debug", "info", "warning", "error"]

_BUGS = "importer.bugs"
_NOISY = ("asyncio", "aiohttp.access", "charset_normalizer")
_VALUES_BEGIN = re.compile(r"[\"'`<({\[=:\n]")


@contextmanager
def configure(
    run_dir: Path | None = None,
    *,
    run_id: str = "",
    format: Literal["console", "json"] = "console",  # noqa: A002  (the option's name)
    level: Level = "info",
    quiet: bool = False,
) -> Iterator[None]:
    """Set up logging for one command or run, and undo it at the end of the block.

    Several blocks may last at once, in one thread or many, and end in any order. Standard error is then as the one
    that began first has it.

    Args:
        run_dir: where `run.log.jsonl` is appended to (mode 0600); None: no file.
        run_id: the file takes no entry of another run. What belongs to no run may be about any: each file takes it.
        format: how standard error is written.
        level: the lowest level that the file takes. For people, standard error begins at `warning`
            unless `debug` is asked for; as JSON it takes what the file takes.
        quiet: standard error takes errors only.

    Raises:
        StorageError: the log file cannot be opened.
    """
    with ExitStack() as stack:
        handlers: list[logging.Handler] = [_console(format, level, quiet=quiet)]
        if run_dir is not None:
            handlers.append(_file(stack.enter_context(_opened(run_dir / LOG_NAME)), level, run_id))
        stack.enter_context(_BLOCKS.attached(handlers))
        yield


@contextmanager
def run_context(run_id: str) -> Iterator[None]:
    """Bind the run's id to every entry of the block, also in tasks that are started in it."""
    with bound_contextvars(run_id=run_id):
        yield


@contextmanager
def row_context(row: int) -> Iterator[None]:
    """Bind a row's number to every entry of the block."""
    with bound_contextvars(row=row):
        yield


@contextmanager
def bugs_logged() -> Iterator[None]:
    """Log an exception of the block that is a bug: its type and our own frames. It is raised again."""
    try:
        yield
    except ImporterError:
        raise
    except Exception as error:
        structlog.stdlib.get_logger(_BUGS).error("bug", exc_info=error)
        raise


# --------------------------------------------------------------------------- handlers


class _Quietly(logging.StreamHandler[TextIO]):
    """A handler that hides its own errors: the standard one would print the entry's arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (the library's name)
        """Drop the entry."""


class _Stderr(_Quietly):
    """Writes to the current standard error: a live progress line replaces it while it is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop an entry that another block shows already."""
        first = next((one for one in logging.getLogger().handlers if isinstance(one, _Stderr)), self)
        return first is self and bool(super().filter(record))


def _console(style: str, level: Level, *, quiet: bool) -> logging.Handler:
    handler = _Stderr(sys.stderr)
    people_from = "debug" if level == "debug" else "warning"
    wanted = "error" if quiet else level if style == "json" else people_from
    handler.setLevel(wanted.upper())
    handler.setFormatter(_formatter(_json() if style == "json" else _text()))
    if style != "json":  # a person gets one sentence of it, which names the log
        handler.addFilter(lambda record: record.name != _BUGS)
    return handler


def _file(stream: TextIO, level: Level, run_id: str) -> logging.Handler:
    handler = _Quietly(stream)
    handler.setLevel(level.upper())
    if run_id:
        handler.addFilter(lambda _: get_contextvars().get("run_id", run_id) == run_id)
    handler.setFormatter(_formatter(_json()))
    return handler


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise StorageError(
            f"The log {path} cannot be written: {reason}.",
            "Check the permissions of that folder, and whether its disk is full.",
        ) from error
    stream = os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace")
    try:
        yield stream
    finally:
        try:
            stream.close()
        except OSError:
            logging.getLogger(__name__).debug("log_not_flushed")


def _text() -> Processor:
    colors = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=24)


def _json() -> Processor:
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def _formatter(renderer: Processor) -> logging.Formatter:
    return ProcessorFormatter(
        foreign_pre_chain=[_cut_foreign, *_annotations()],
        processors=[ProcessorFormatter.remove_processors_meta, explain_exception, redact, renderer],
        use_get_message=False,
    )


def _annotations() -> list[Processor]:
    return [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
    ]


def _cut_foreign(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> EventDict:
    """Keep a library's message up to the first place where a value could begin."""
    record: logging.LogRecord = event["_record"]
    words = _VALUES_BEGIN.split(str(event["event"]), maxsplit=1)[0].strip()
    event["event"] = words or "library_message"
    event["logger"] = record.name
    event["where"] = f"{record.module}:{record.lineno}"
    return event


# --------------------------------------------------------------------------- set up and undone


class _Blocks:
    """The blocks that log at this moment: logging is set up with the first, and undone with the last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._handlers: list[logging.Handler] = []
        self._undo = ExitStack()

    @contextmanager
    def attached(self, handlers: list[logging.Handler]) -> Iterator[None]:
        """Have entries go to handlers, too, while the block lasts."""
        root = logging.getLogger()
        with self._lock:
            if not self._handlers:
                self._undo.enter_context(_levels_kept())
                self._undo.enter_context(_structlog_configured())
            self._handlers += handlers
            for handler in handlers:
                root.addHandler(handler)
            self._set_level()
        try:
            yield
        finally:
            with self._lock:
                for handler in handlers:
                    self._handlers.remove(handler)
                    root.removeHandler(handler)
                    handler.close()
                self._set_level()

    def _set_level(self) -> None:
        """Let everything through that a handler takes; where there is none left, as before the first."""
        if self._handlers:
            logging.getLogger().setLevel(min(handler.level for handler in self._handlers))
        else:
            self._undo.close()


_BLOCKS = _Blocks()


@contextmanager
def _structlog_configured() -> Iterator[None]:
    before = structlog.get_config()
    was_configured = structlog.is_configured()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_annotations(), ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        if was_configured:
            structlog.configure(**before)
        else:
            structlog.reset_defaults()


@contextmanager
def _levels_kept() -> Iterator[None]:
    """Have libraries say less, and put every level back at the end."""
    before = {logger: logger.level for logger in map(logging.getLogger, ("", *_NOISY))}
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)
