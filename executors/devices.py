"""Which device a run trains on, and why; cards are compared by NVML, which needs no CUDA context.

`cards` is light and serves the parent side; `choose_device` asks torch and belongs in the child.
"""

from __future__ import annotations

from dataclasses import dataclass

from .amounts import show_bytes
from .errors import BadParameter

__all__ = ["DEVICE_CHOICES", "Card", "Device", "cards", "choose_device"]

DEVICE_CHOICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True)
class Card:
    """A CUDA card as the driver sees it; other programs' memory is not free."""

    uuid: str
    name: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Device:
    """A device by torch's name for it; `card` is the hardware's name, "" on the CPU; `why` is a sentence."""

    name: str
    card: str
    why: str


def cards() -> tuple[Card, ...]:
    """The NVIDIA cards of this machine, in the driver's order; none without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        return tuple(_card(index) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()


def choose_device(asked: str = "auto") -> Device:
    """The device asked for, or the CUDA card with most free memory, else Apple's MPS, else the CPU.

    Raises
    ------
    BadParameter
        When the device asked for is not on this machine.
    """
    import torch

    if asked == "cpu":
        return Device("cpu", "", "the CPU was asked for")
    if asked == "mps" or (asked == "auto" and not torch.cuda.is_available() and torch.backends.mps.is_available()):
        if not torch.backends.mps.is_available():
            raise BadParameter(f"device 'mps' is not on this machine; {_present()}")
        why = "it was asked for" if asked == "mps" else "there is no CUDA card, and Apple's GPU is faster than the CPU"
        return Device("mps", "Apple GPU", why)
    if torch.cuda.is_available():
        return _choose_card(asked)
    if asked != "auto":
        raise BadParameter(f"device '{asked}' is not on this machine; {_present()}")
    return Device("cpu", "", _why_no_card())


def _choose_card(asked: str) -> Device:
    """The card `asked` names by number, or the one with most free memory; the lowest number on a tie."""
    import torch

    count = torch.cuda.device_count()
    if ":" in asked:
        index = int(asked.split(":")[1])
        if index >= count:
            raise BadParameter(f"device '{asked}' is not on this machine; {_present()}")
        return Device(asked, torch.cuda.get_device_name(index), "it was asked for")
    free = _free_bytes(count)
    best = max(range(count), key=lambda index: (free[index], -index))
    name = torch.cuda.get_device_name(best)
    others = f", the most of {count} cards" if count > 1 else ""
    return Device(f"cuda:{best}", name, f"{name} has {show_bytes(free[best])} of memory free{others}")


def _free_bytes(count: int) -> list[int]:
    """Free bytes of each card that torch sees; asked of torch itself, which opens the card, only without NVML."""
    import torch

    known = {card.uuid.removeprefix("GPU-"): card.free_bytes for card in cards()}
    free = []
    for index in range(count):
        uuid = str(getattr(torch.cuda.get_device_properties(index), "uuid", ""))
        free.append(known[uuid] if uuid in known else torch.cuda.mem_get_info(index)[0])
    return free


def _card(index: int) -> Card:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return Card(
        _decoded(pynvml.nvmlDeviceGetUUID(handle)),
        _decoded(pynvml.nvmlDeviceGetName(handle)),
        int(memory.free),
        int(memory.total),
    )


def _decoded(text: str | bytes) -> str:
    return text.decode() if isinstance(text, bytes) else text


def _why_no_card() -> str:
    present = cards()
    if present:
        return (
            f"this torch cannot use the {present[0].name} (its CUDA version or driver does not fit), so the CPU does it"
        )
    return "there is no CUDA card and no Apple GPU"


def _present() -> str:
    """What is there instead, as a hint."""
    import torch

    if torch.cuda.is_available():
        names = [f"cuda:{index} ({torch.cuda.get_device_name(index)})" for index in range(torch.cuda.device_count())]
        return f"there are cpu, {', '.join(names)}"
    return "there are cpu and mps" if torch.backends.mps.is_available() else "there is only the cpu"
