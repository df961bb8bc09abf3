"""The machine that a run happens on: what it is, which device to use, how many cores.

* torch is never imported to describe the machine; what it knows is added once somebody has imported it.
* Cores are those this process may use (affinity and container quota), not those the machine has.
"""

from __future__ import annotations

import math
import os
import platform
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from bezoar.run.errors import BezoarError, nearest

DEVICES = ("auto", "cpu", "cuda")


def describe() -> dict[str, Any]:
    """Return the machine as plain JSON values; `gpu` and `torch` are None while torch is not imported."""
    torch = sys.modules.get("torch")
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpu": _cpu_name(),
        "cores": cores(),
        "memory_gb": _memory_gb(),
        "torch": str(torch.__version__) if torch else None,
        "gpu": torch.cuda.get_device_name(0) if torch and torch.cuda.is_available() else None,
    }


def pick_device(name: str = "auto") -> str:
    """Return "cpu" or "cuda" for "auto", "cpu" or "cuda"; a GPU that is asked for must be there."""
    if name not in DEVICES:
        raise BezoarError(f"There is no device {name!r}.", nearest(name, DEVICES))
    if name == "cpu":
        return name
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if name == "cuda":
        raise BezoarError("--device cuda: torch finds no CUDA device.", "Use --device cpu, or see bezoar doctor.")
    return "cpu"


def cores() -> int:
    """Return how many cores this process may use, at least 1."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    allowed = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(allowed, _container_quota()))


@cache
def use_cores() -> int:
    """Let torch use all cores of this process, unless OMP_NUM_THREADS says otherwise; return the threads."""
    import torch

    if not os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(cores())
    return int(torch.get_num_threads())


def threads() -> int:
    """Return the threads that sums are made with: torch's if it is imported, else the cores."""
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch else cores()


def _container_quota() -> int:
    # cgroup v2: "max 100000" or "150000 100000", quota and period in microseconds.
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):
        return sys.maxsize


def _cpu_name() -> str:
    with suppress(OSError):  # only Linux has the file
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None
