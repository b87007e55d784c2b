"""Running out of memory is recognised, memory is measured, and the device choice says why."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from executors import devices
from executors.devices import Card, choose_device
from executors.errors import BadParameter
from executors.memory import available_bytes, is_out_of_memory

FACES = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUDA driver error: out of memory"),
    RuntimeError("cudaErrorMemoryAllocation: the API call failed"),
    RuntimeError("CUDA_ERROR_OUT_OF_MEMORY"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError(
        "cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`"
    ),
    RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
    RuntimeError("NCCL error: unhandled cuda error. Last error: Cuda failure 2 'out of memory'"),
    RuntimeError("NCCL error: Failed to CUDA calloc async 608 bytes"),
    RuntimeError("HIP out of memory. Tried to allocate 1.50 GiB"),
    RuntimeError("HIP error: hipErrorOutOfMemory"),
    RuntimeError("miopenStatusAllocFailed"),
    RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    RuntimeError("Invalid buffer size: 24.00 GiB"),
    RuntimeError("Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)"),
    RuntimeError("XPU out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("Native API failed. Native API returns: 40 (UR_RESULT_ERROR_OUT_OF_RESOURCES)"),
    RuntimeError("Native API returns: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)"),
    RuntimeError("FATAL ERROR :: MODULE:PT_DEVMEM Allocation failed for size"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"
    ),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:80] data. DefaultCPUAllocator: not enough memory: "
        "you tried to"
    ),
    RuntimeError("could not create a primitive"),
    RuntimeError("could not create a memory object"),
    RuntimeError("std::bad_alloc"),
    RuntimeError("bad allocation"),
    RuntimeError("Unable to allocate 7.45 GiB for an array with shape (1000, 1000, 1000)"),
    RuntimeError("malloc of size 1073741824 failed"),
    RuntimeError(
        "unable to mmap 8388608 bytes from file <filename not specified>: "
        "Cannot allocate memory (12)"
    ),
    OSError(12, "Cannot allocate memory"),
    RuntimeError("DataLoader worker (pid 4120) is killed by signal: Killed."),
]


@pytest.mark.parametrize("error", FACES, ids=lambda error: str(error)[:30])
def test_every_face_of_out_of_memory_is_known(error: BaseException) -> None:
    """As itself, and as the cause of another error."""
    assert is_out_of_memory(error)
    try:
        raise RuntimeError("training failed") from error
    except RuntimeError as wrapped:
        assert is_out_of_memory(wrapped)


@pytest.mark.parametrize(
    "text",
    [
        "mat1 and mat2 shapes cannot be multiplied",
        "memory format option is only supported",
        "index out of range in self",
        "list index out of range",
        "DataLoader worker (pid 7) is killed by signal: Bus error. ... might be out of shared "
        "memory.",
        "unable to open shared memory object </torch_1> in read-write mode: "
        "Too many open files (24)",
        "cannot allocate memory in static TLS block",
        "could not create a primitive descriptor for a matmul primitive",
        "out of resource: shared memory, Required: 103424, Hardware limit: 101376",
        "DataLoader worker (pid 7) exited unexpectedly with exit code 1",
        "value cannot be converted to type float without overflow",
    ],
)
@pytest.mark.parametrize("less_worked", [False, True])
def test_other_errors_are_not_taken_for_it(text: str, less_worked: bool) -> None:
    """A mistake must not be searched around, whether or not a smaller batch was trained before."""
    assert not is_out_of_memory(RuntimeError(text), less_worked)


@pytest.mark.parametrize(
    "text",
    [
        "cuDNN error: CUDNN_STATUS_NOT_SUPPORTED. This error may appear if you passed in a "
        "non-contiguous input.",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
        "FIND was unable to find an engine to execute this computation",
        "Expected canUse32BitIndexMath(input) && canUse32BitIndexMath(output) to be true, "
        "but got false.",
    ],
)
def test_ambiguous_errors_count_once_a_smaller_batch_has_trained(text: str) -> None:
    """A wrong type fails at every size; what fails only above a size is the size's fault."""
    assert not is_out_of_memory(RuntimeError(text))
    assert is_out_of_memory(RuntimeError(text), less_worked=True)


def test_errors_that_name_each_other_come_to_an_end() -> None:
    """A chain of causes that leads back to its beginning is read once."""
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert not is_out_of_memory(first)


@pytest.mark.skipif(sys.platform != "linux", reason="the bound and the mark are Linux's")
def test_memory_is_bounded_and_its_peak_is_seen() -> None:
    """In a process of its own: 50 MB fit in 100 and are seen in the peak; 300 MB do not fit."""
    program = (
        "import torch\nfrom executors.memory import *\n"
        "torch.ones(10).sum(); base = used_bytes('cpu'); bound_memory('cpu', 100_000_000); "
        "reset_peak('cpu')\n"
        "block = torch.ones(50_000_000, dtype=torch.uint8); del block\n"
        "assert 48_000_000 < peak_bytes('cpu') - base < 60_000_000, peak_bytes('cpu') - base\n"
        "assert used_bytes('cpu') - base < 10_000_000\n"
        "reset_peak('cpu'); assert peak_bytes('cpu') - base < 10_000_000\n"
        "try:\n    torch.ones(300_000_000, dtype=torch.uint8)\n"
        "except RuntimeError as error:\n    assert is_out_of_memory(error), error\n"
        "else:\n    raise SystemExit('not bounded')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_free_memory_is_within_the_machines() -> None:
    """A positive number, no more than there is."""
    import psutil

    assert 0 < available_bytes("cpu") <= psutil.virtual_memory().total


def test_the_cpu_can_be_asked_for() -> None:
    """Also on a machine with a card."""
    assert choose_device("cpu").name == "cpu"


@dataclass
class FakeProperties:
    """What torch tells of a card."""

    uuid: str
    name: str


def machine_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cards, in another order for torch than for the driver; torch's second has more free."""
    properties = [FakeProperties("bbb", "Card B"), FakeProperties("aaa", "Card A")]
    seen = (
        Card("GPU-aaa", "Card A", 20_000_000_000, 24_000_000_000),
        Card("GPU-bbb", "Card B", 3_000_000_000, 8_000_000_000),
    )

    def no_context(_: Any) -> None:
        raise AssertionError("asking torch for free memory opens the card")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: properties[index].name)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties[index])
    monkeypatch.setattr(torch.cuda, "mem_get_info", no_context)
    monkeypatch.setattr(devices, "cards", lambda: seen)


def test_the_card_with_most_free_memory_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards are matched by their identifiers, for torch and the driver count them differently."""
    machine_of_two(monkeypatch)
    chosen = choose_device("auto")
    assert (chosen.name, chosen.card) == ("cuda:1", "Card A")
    assert chosen.why == "Card A has 20 GB of memory free, the most of 2 cards"


def test_a_card_is_taken_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for comes before what is free; a number too high names what there is."""
    machine_of_two(monkeypatch)
    assert choose_device("cuda:0").card == "Card B"
    with pytest.raises(
        BadParameter, match=r"'cuda:7' is not on this machine; there are cpu, cuda:0 \(Card B\)"
    ):
        choose_device("cuda:7")


def test_a_machine_without_a_card_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU does the work, and asking for a card is refused with what there is."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(devices, "cards", lambda: ())
    assert choose_device("auto").why == "there is no CUDA card and no Apple GPU"
    with pytest.raises(
        BadParameter, match="device 'cuda' is not on this machine; there is only the cpu"
    ):
        choose_device("cuda")


def test_a_card_that_torch_cannot_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that is too old is the usual reason."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(devices, "cards", lambda: (Card("GPU-a", "Old Card", 1, 2),))
    assert "this torch cannot use the Old Card" in choose_device("auto").why


FREED = """
import sys
from executors.memory import exact_heap, used_bytes
for exact in sys.argv[1:]:
    exact_heap(exact == "exact")
    before = used_bytes("cpu")
    blocks = [bytearray(b"x") * 1_000_000 for _ in range(64)]
    del blocks[:-1]
    print(used_bytes("cpu") - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc",
    reason="other C libraries keep what is freed in their own way",
)
def test_freed_blocks_are_handed_back_or_kept_as_wanted() -> None:
    """Of 64 blocks of which the last lives, that one counts when exact, else all of them."""
    ran = subprocess.run(
        [sys.executable, "-c", FREED, "exact", "kept"], capture_output=True, text=True, check=True
    )
    exact, kept = map(int, ran.stdout.split())
    assert exact < 4_000_000 < 50_000_000 < kept
