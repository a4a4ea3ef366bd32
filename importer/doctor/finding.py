"""One line of the doctor: what was checked, its state, and how to fix it. Never a secret, never a cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from importer.core.commands import quoted
from importer.core.errors import ExitCode, ImporterError

Status = Literal["ok", "warn", "fail"]
OTHERS = 0o077
"""The permission bits of group and others."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Args:
        check: its name, one or two words.
        status: `fail`: a run would be refused or lose something; `warn`: it would not, but it is worth knowing.
        fix: how to fix it; empty when it is ok.
        code: the exit code that a run would end with.
    """

    check: str
    status: Status
    message: str
    fix: str = ""
    code: ExitCode = ExitCode.OK

    @classmethod
    def ok(cls, check: str, message: str) -> Finding:
        """Nothing is wrong."""
        return cls(check, "ok", message)

    @classmethod
    def warn(cls, check: str, message: str, fix: str) -> Finding:
        """A run would go on."""
        return cls(check, "warn", message, fix)

    @classmethod
    def fail(cls, check: str, message: str, fix: str, code: ExitCode = ExitCode.BUG) -> Finding:
        """A run would not go on."""
        return cls(check, "fail", message, fix, code)

    @classmethod
    def from_error(cls, check: str, error: ImporterError) -> Finding:
        """A run would be refused with this very error."""
        return cls(check, "fail", error.message, error.hint, error.exit_code)

    def as_json(self) -> dict[str, Any]:
        """Return it in plain JSON types."""
        return {"check": self.check, "status": self.status, "message": self.message, "fix": self.fix}


def readable_by_others(check: str, variable: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Warn where others may read the file that a variable names; it holds secrets."""
    path = Path(environ.get(variable) or "/nonexistent").expanduser()
    if path.is_file() and path.stat().st_mode & OTHERS:
        yield Finding.warn(check, f"others may read the file of {variable}", f"chmod 600 {quoted(str(path))}")


def exit_code(findings: Sequence[Finding]) -> ExitCode:
    """The exit code of a run: that of the first check that failed; warnings are not failures."""
    return next((one.code for one in findings if one.status == "fail"), ExitCode.OK)
