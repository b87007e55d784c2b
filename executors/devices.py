"""Which device a run trains on, and why; cards are compared by NVML, which needs no CUDA context.

`cards` and `places` are light and serve the parent side; `choose_device` asks torch and belongs in
the child.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Collection
from dataclasses import dataclass
from importlib import metadata

from executors.amounts import show_bytes
from executors.errors import BadParameter

__all__ = [
    "CARD",
    "DEVICE_CHOICES",
    "Card",
    "Device",
    "cards",
    "choose_device",
    "held_bytes",
    "place_name",
    "places",
    "visible_cards",
]

CARD = "GRADUS_CARD"  # in a child's environment: the uuid of the card that it is to take
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
    """A device by torch's name for it, its hardware's ("" on the CPU), and why it was chosen."""

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


def held_bytes(uuid: str, pids: Collection[int]) -> int | None:
    """Bytes of a card that these processes hold; None where the driver does not tell.

    Within a container it may not know them by these numbers.
    """
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        running = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()
    held = [process.usedGpuMemory for process in running if process.pid in pids]
    return sum(held) if held and None not in held else None


def visible_cards() -> tuple[Card, ...]:
    """The cards that torch in a child would see, in its order, as CUDA_VISIBLE_DEVICES has it."""
    if _torch_version().endswith("+cpu"):
        return ()
    present, visible = cards(), os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return present
    seen: list[Card] = []
    for word in (word.strip() for word in visible.split(",")):
        named = [card for card in present if word and card.uuid.startswith(word)]
        if word.isdigit() and int(word) < len(present):
            named = [present[int(word)]]
        if len(named) != 1:  # as CUDA does: what follows a word that names no card is not seen
            break
        seen += named
    return tuple(seen)


def places(asked: str = "auto") -> tuple[str, ...]:
    """Where a run may train: "cpu", "mps", or cards by uuid, most free memory first.

    Nothing here opens a card. Whether torch can use it, the child finds out.
    """
    if asked in ("cpu", "mps"):
        return (asked,)
    visible = visible_cards()
    if ":" in asked:
        index = int(asked.split(":")[1])
        return (visible[index].uuid,) if index < len(visible) else ("cpu",)
    if visible:
        return tuple(card.uuid for card in sorted(visible, key=lambda card: -card.free_bytes))
    return ("mps",) if sys.platform == "darwin" and platform.machine() == "arm64" else ("cpu",)


def place_name(place: str) -> tuple[str, str]:
    """A place's name as torch has it, and the hardware's: ("cuda:0", "NVIDIA ...")."""
    for index, card in enumerate(visible_cards()):
        if card.uuid == place:
            return f"cuda:{index}", card.name
    return place, ""


def choose_device(asked: str = "auto") -> Device:
    """The device asked for, the card given, the one with most free memory, MPS, or the CPU.

    Raises
    ------
    BadParameter
        When the device asked for is not on this machine.
    """
    import torch

    if asked == "cpu":
        return Device("cpu", "", "the CPU was asked for")
    if asked == "mps" or (
        asked == "auto" and not torch.cuda.is_available() and torch.backends.mps.is_available()
    ):
        if not torch.backends.mps.is_available():
            raise BadParameter(f"device 'mps' is not on this machine; {_present()}")
        why = (
            "it was asked for"
            if asked == "mps"
            else "there is no CUDA card, and Apple's GPU is faster than the CPU"
        )
        return Device("mps", "Apple GPU", why)
    if torch.cuda.is_available():
        return _choose_card(asked)
    if asked != "auto":
        raise BadParameter(f"device '{asked}' is not on this machine; {_present()}")
    return Device("cpu", "", _why_no_card())


def _choose_card(asked: str) -> Device:
    """The card asked for or given, else the one with most free memory, the lowest on a tie."""
    import torch

    count = torch.cuda.device_count()
    if ":" in asked:
        index = int(asked.split(":")[1])
        if index >= count:
            raise BadParameter(f"device '{asked}' is not on this machine; {_present()}")
        return Device(asked, torch.cuda.get_device_name(index), "it was asked for")
    free, given = _free_bytes(count), os.environ.get(CARD, "")
    uuids = [_uuid(index) for index in range(count)]
    if given and given.removeprefix("GPU-") in uuids:
        index = uuids.index(given.removeprefix("GPU-"))
        name = torch.cuda.get_device_name(index)
        return Device(
            f"cuda:{index}",
            name,
            f"{name} has no other run and {show_bytes(free[index])} of memory free",
        )
    best = max(range(count), key=lambda index: (free[index], -index))
    name = torch.cuda.get_device_name(best)
    others = f", the most of {count} cards" if count > 1 else ""
    return Device(
        f"cuda:{best}", name, f"{name} has {show_bytes(free[best])} of memory free{others}"
    )


def _free_bytes(count: int) -> list[int]:
    """Free bytes of each card that torch sees; it opens the cards only where NVML is missing."""
    import torch

    known = {card.uuid.removeprefix("GPU-"): card.free_bytes for card in cards()}
    free = []
    for index in range(count):
        uuid = _uuid(index)
        free.append(known[uuid] if uuid in known else torch.cuda.mem_get_info(index)[0])
    return free


def _uuid(index: int) -> str:
    """Of the card that torch gives this number, without "GPU-"; "" where torch does not tell."""
    import torch

    return str(getattr(torch.cuda.get_device_properties(index), "uuid", "")).removeprefix("GPU-")


def _torch_version() -> str:
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""


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
            f"this torch cannot use the {present[0].name} (its CUDA version or driver does not "
            "fit), so the CPU does it"
        )
    return "there is no CUDA card and no Apple GPU"


def _present() -> str:
    """What is there instead, as a hint."""
    import torch

    if torch.cuda.is_available():
        names = [
            f"cuda:{index} ({torch.cuda.get_device_name(index)})"
            for index in range(torch.cuda.device_count())
        ]
        return f"there are cpu, {', '.join(names)}"
    return "there are cpu and mps" if torch.backends.mps.is_available() else "there is only the cpu"
