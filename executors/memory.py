"""Memory of a training step: what is free, what it took, and what running out looks like.

On the CPU the peak is the resident memory's high-water mark, reset before each step where the
system lets us (Linux); on a CUDA card it is what torch's allocator held at most.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import re
import resource
import sys
from pathlib import Path

import psutil

__all__ = [
    "available_bytes",
    "bound_memory",
    "exact_heap",
    "free_cached",
    "is_out_of_memory",
    "machine_bytes",
    "peak_bytes",
    "reset_peak",
    "tree_bytes",
    "used_bytes",
]

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
# bytes from which a freed block is; glibc itself goes as far as the second
_HANDED_BACK, _KEPT = 262_144, 33_554_432
_UNTOUCHED_BYTES = 64_000_000  # stacks of threads and heap that was asked for ahead

# What the same thing is called by drivers (CUDA, HIP, Level Zero, Metal), by libraries on them, by
# C, C++, NumPy, Arrow and the system. Not by loaders whose shared memory is too small, nor by
# kernels whose blocks are too large.
_OUT_OF_MEMORY = re.compile(
    r"(?<!shared )\bout of (host |device |system |gpu |cpu )?memory"
    r"|_OUT_OF_(HOST_|DEVICE_)?MEMORY\b"
    r"|Error(OutOfMemory|MemoryAllocation)\b|(UR_RESULT|PI|ZE_RESULT)_ERROR_OUT_OF_RESOURCES"
    r"|can(no|')t allocate memory(?! in static TLS)|could not allocate memory"
    r"|not enough memory|insufficient memory"
    r"|unable to allocate(?! shared memory)|failed to (CUDA |HIP )?(m|c)?alloc(ate)?\b"
    r"|std::bad_(alloc|array_new_length)|bad allocation"
    r"|\b(m|c|re)alloc of size \d+ failed|invalid buffer size"
    r"|PT_DEVMEM Allocation failed|rocblas_status_memory_error"
    r"|could not create a (primitive(?! descriptor)|memory( object)?)\b"
    r"|(CUBLAS|CUDNN|CUSOLVER|CUSPARSE|HIPBLAS|HIPSPARSE|MIOPEN)_STATUS_(ALLOC_FAILED|INSUFFICIENT_RESOURCES)"
    r"|(CUFFT|HIPFFT)_ALLOC_FAILED|miopenStatusAllocFailed"
    r"|DataLoader worker .*killed by signal: Killed",
    re.IGNORECASE,
)
# These follow a lack of memory, a batch that a kernel cannot count, and plain mistakes alike.
_PERHAPS = re.compile(
    r"CUBLAS_STATUS_(NOT_INITIALIZED|EXECUTION_FAILED|INTERNAL_ERROR)"
    r"|CUDNN_STATUS_(INTERNAL_ERROR|NOT_SUPPORTED|EXECUTION_FAILED|NOT_INITIALIZED)|MIOPEN_STATUS_INTERNAL_ERROR"
    r"|miopenStatus(InternalError|UnknownError)|NCCL error|unable to find an engine"
    r"|canUse32BitIndexMath"
    r"|32-bit index|integer out of range|invalid configuration argument"
    r"|could not execute a primitive",
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException, less_worked: bool = False) -> bool:
    """Whether the error, or one that caused it, says in any of its ways that memory ran out.

    Parameters
    ----------
    error : BaseException
        What was raised.
    less_worked : bool
        Whether the same was done with a smaller batch before. Texts that a mistake leads to as well
        are believed only then: the same mistake would have been made with the smaller batch.
    """
    seen: BaseException | None = error
    met: set[int] = set()
    while seen is not None and id(seen) not in met:
        if isinstance(seen, MemoryError) or type(seen).__name__ == "OutOfMemoryError":
            return True
        if _OUT_OF_MEMORY.search(str(seen)) or (less_worked and _PERHAPS.search(str(seen))):
            return True
        met.add(id(seen))
        seen = seen.__cause__ or seen.__context__
    return False


def available_bytes(device: str) -> int:
    """Bytes that this process could still take on the device now; what others hold is not free."""
    if device.startswith("cuda"):
        import torch

        free, _ = torch.cuda.mem_get_info(device)
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    if device == "mps":
        import torch

        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return min(psutil.virtual_memory().available, _container_bytes())


def machine_bytes() -> tuple[int, int]:
    """(free, total) bytes of this machine's memory, of a container its own share."""
    memory = psutil.virtual_memory()
    limit = min(memory.total, _container("memory.max", "memory/memory.limit_in_bytes"))
    return min(available_bytes("cpu"), limit), limit


def tree_bytes(pid: int) -> int:
    """Bytes of this machine's memory that a process and all it has started hold.

    What several of them share is counted once, where the system tells.
    """
    held = 0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                memory = process.memory_full_info()
                held += int(getattr(memory, "pss", memory.rss))
    return held


def bound_memory(device: str, limit_bytes: int) -> None:
    """Let this process fail, rather than swap, when it takes far more than this from now.

    On the CPU by RLIMIT_DATA (which, unlike RLIMIT_AS, does not count what is merely mapped) with a
    little room, since it counts pages that were never touched too; on a card by torch's own memory
    fraction, to the byte. Where neither exists nothing is bound. In any case the measured peak says
    whether a trial stayed within its limit.
    """
    if device.startswith("cuda"):
        import torch

        _, total = torch.cuda.mem_get_info(device)
        held = torch.cuda.memory_allocated(device)
        torch.cuda.set_per_process_memory_fraction(min(1.0, (held + limit_bytes) / total), device)
    elif device == "cpu" and (used := _status_bytes("VmData")) is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        asked = used + limit_bytes + _UNTOUCHED_BYTES
        resource.setrlimit(
            resource.RLIMIT_DATA,
            (asked if hard == resource.RLIM_INFINITY else min(asked, hard), hard),
        )


def reset_peak(device: str) -> None:
    """Start a new measurement of the peak."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)
    elif device == "cpu":
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_bytes(device: str) -> int:
    """Most bytes in use since `reset_peak`; those in use now where no mark is kept."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    marked = _status_bytes("VmHWM") if device == "cpu" else None
    return marked if marked is not None else used_bytes(device)


def used_bytes(device: str) -> int:
    """Bytes in use now."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.memory_allocated(device))
    if device == "mps":
        import torch

        return int(torch.mps.driver_allocated_memory())
    return int(psutil.Process().memory_info().rss)


def free_cached(device: str) -> None:
    """Give back what no tensor holds any more."""
    gc.collect()
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
    elif device == "mps":
        import torch

        torch.mps.empty_cache()
    elif sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):  # other C libraries have no malloc_trim
            ctypes.CDLL(None).malloc_trim(0)


def exact_heap(exact: bool) -> None:
    """Have large freed blocks handed back at once and counted exactly, or kept, which is faster.

    glibc keeps freed blocks of up to 32 MB in its heap, more or less by chance: the same step took
    104 and 144 MB. Other C libraries are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return
    threshold = _HANDED_BACK if exact else _KEPT
    with contextlib.suppress(AttributeError, OSError):
        for option in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
            ctypes.CDLL(None).mallopt(option, threshold)


def _status_bytes(key: str) -> int | None:
    """A line of /proc/self/status, in bytes; None where there is none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    return None


def _container_bytes() -> int:
    """What a container's own limit (cgroup 2, then 1) leaves; without one, no end of it."""
    used = _container("memory.current", "memory/memory.usage_in_bytes")
    limit = _container("memory.max", "memory/memory.limit_in_bytes")
    return limit if sys.maxsize in (limit, used) else max(0, limit - used)


def _container(*names: str) -> int:
    """The first of the container's numbers that there is; without one, no end of it."""
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            return int((Path("/sys/fs/cgroup") / name).read_text())
    return sys.maxsize
