"""CPU time of a process with all its threads and all its children, from /proc."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_TICK: Final = 1.0 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(root: int) -> float:
    """User and system time so far of process `root` and everything it started, those that have ended included."""
    stats = {pid: _stat(pid) for pid in _pids()}
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        # proc(5): 14 utime, 15 stime, 16 cutime and 17 cstime (children that were waited for)
        total += sum(int(value) for value in stats.get(pid, [])[11:15])
        waiting += [child for child, fields in stats.items() if fields and int(fields[1]) == pid]
    return total * _TICK


def resident_bytes(root: int) -> int:
    """Memory of the process alone that is in RAM."""
    pages = int(Path(f"/proc/{root}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - twice as fast


def _stat(pid: int) -> list[str]:
    """Fields 3 and on; the second is the name, which may hold spaces and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
