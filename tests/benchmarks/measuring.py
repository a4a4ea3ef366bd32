"""Runs one command and measures it: wall clock, processor time and peak memory of the whole process tree.

Memory is the sum of the proportional set sizes (PSS) of all processes of the tree, sampled many times a second, so
that pages that several processes share count once. Linux only.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

_SAMPLE_S = 0.05


@dataclass(frozen=True)
class Measured:
    """What one command cost.

    Args:
        wall_s: from start to exit.
        cpu_s: user and system time of the process and of all its children.
        peak_mb: the largest sum of memory seen at one moment; 0 where it was not asked for.
        out: standard output.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    out: str


def measure(
    command: Iterable[object],
    *,
    cwd: Path,
    environ: Mapping[str, str] = os.environ,
    memory: bool = False,
    allowed: Sequence[int] = (0,),
) -> Measured:
    """Run a command to its end.

    Args:
        memory: watch the memory, too; costs a little time.
        allowed: exit codes that are no failure.

    Raises:
        RuntimeError: it ended with another exit code.
    """
    started = time.perf_counter()
    with TemporaryFile("w+") as out, TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=cwd, env=dict(environ), stdout=out, stderr=errors
        )
        peak = watched(process.pid, lambda: _over(process)) if memory else 0.0
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        process.returncode = code = os.waitstatus_to_exitcode(status)
        if code not in allowed:
            errors.seek(0)
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {code}: {errors.read()[-2_000:]}")
        out.seek(0)
        return Measured(wall_s, usage.ru_utime + usage.ru_stime, peak, out.read())


def _over(process: subprocess.Popen[bytes]) -> bool:
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def watched(pid: int, is_over: Callable[[], bool]) -> float:
    """Watch the memory of a process and of all that descend from it; returns the largest sum, in megabytes."""
    peak = 0.0
    while not is_over():
        peak = max(peak, sum(map(_pss_mb, tree(pid))))
        time.sleep(_SAMPLE_S)  # noqa: TID251  # a stopwatch on another process
    return peak


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from tree(int(child))


def _pss_mb(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
