"""Running out of memory is recognised in every form, memory is measured, and the device choice says why."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("could not create a primitive"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED"),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    ],
)
def test_every_face_of_out_of_memory_is_known(error: BaseException) -> None:
    """As itself, and as the cause of another error."""
    assert is_out_of_memory(error)
    try:
        raise RuntimeError("training failed") from error
    except RuntimeError as wrapped:
        assert is_out_of_memory(wrapped)


@pytest.mark.parametrize(
    "text", ["mat1 and mat2 shapes cannot be multiplied", "memory format option is only supported"]
)
def test_other_errors_are_not_taken_for_it(text: str) -> None:
    """A wrong shape must not be searched around."""
    assert not is_out_of_memory(RuntimeError(text))


@pytest.mark.skipif(sys.platform != "linux", reason="the bound and the mark are Linux's")
def test_memory_is_bounded_and_its_peak_is_seen() -> None:
    """In a process of its own: 50 MB fit in 100 and are seen in the peak, to some pages; 300 MB do not fit."""
    program = (
        "import torch\nfrom executors.memory import *\n"
        "torch.ones(10).sum(); base = used_bytes('cpu'); bound_memory('cpu', 100_000_000); reset_peak('cpu')\n"
        "block = torch.ones(50_000_000, dtype=torch.uint8); del block\n"
        "assert 48_000_000 < peak_bytes('cpu') - base < 60_000_000, peak_bytes('cpu') - base\n"
        "assert used_bytes('cpu') - base < 10_000_000\n"
        "reset_peak('cpu'); assert peak_bytes('cpu') - base < 10_000_000\n"
        "try:\n    torch.ones(300_000_000, dtype=torch.uint8)\n"
        "except RuntimeError as error:\n    assert is_out_of_memory(error), error\n"
        "else:\n    raise SystemExit('not bounded')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
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
    """Two cards in another order for torch than for the driver; the second by torch's count has more free memory."""
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
    with pytest.raises(BadParameter, match=r"'cuda:7' is not on this machine; there are cpu, cuda:0 \(Card B\)"):
        choose_device("cuda:7")


def test_a_machine_without_a_card_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU does the work, and asking for a card is refused with what there is."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(devices, "cards", lambda: ())
    assert choose_device("auto").why == "there is no CUDA card and no Apple GPU"
    with pytest.raises(BadParameter, match="device 'cuda' is not on this machine; there is only the cpu"):
        choose_device("cuda")


def test_a_card_that_torch_cannot_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that is too old is the usual reason."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(devices, "cards", lambda: (Card("GPU-a", "Old Card", 1, 2),))
    assert "this torch cannot use the Old Card" in choose_device("auto").why
