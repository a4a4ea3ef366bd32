"""One line of the doctor: what was looked at, how it is, and how to fix it. Never a secret, never a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from importer.core.errors import ExitCode, ImporterError

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to.

    Args:
        check: its name, one or two words.
        status: `fail`: a run would be refused or lose something; `warn`: it would not, but somebody should know.
        fix: what to do about it; empty when it is ok.
        code: the exit code that a run would end with.
    """

    check: str
    status: Status
    message: str
    fix: str = ""
    code: ExitCode = ExitCode.OK

    @classmethod
    def ok(cls, check: str, message: str) -> Finding:
        """All is well."""
        return cls(check, "ok", message)

    @classmethod
    def warn(cls, check: str, message: str, fix: str) -> Finding:
        """A run would go on."""
        return cls(check, "warn", message, fix)

    @classmethod
    def fail(cls, check: str, message: str, fix: str, code: ExitCode = ExitCode.BUG) -> Finding:
        """A run would not."""
        return cls(check, "fail", message, fix, code)

    @classmethod
    def from_error(cls, check: str, error: ImporterError) -> Finding:
        """A run would be refused with this very error."""
        return cls(check, "fail", error.message, error.hint, error.exit_code)

    def as_json(self) -> dict[str, Any]:
        """Return it in plain JSON types."""
        return {"check": self.check, "status": self.status, "message": self.message, "fix": self.fix}


def exit_code(findings: Sequence[Finding]) -> ExitCode:
    """What a run would end with: the code of the first check that failed; warnings are not failures."""
    return next((one.code for one in findings if one.status == "fail"), ExitCode.OK)
