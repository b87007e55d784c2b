"""Where a run may train, as its starter sees it without opening a card, and what it takes."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch

from executors import devices
from executors.devices import Card, choose_device
from executors.runs.launch import child_environment


def test_the_card_that_a_run_was_given_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its uuid, though another has more memory free; one that torch does not see is nothing."""
    cards = (Card("GPU-aaa", "Card A", 3, 9), Card("GPU-bbb", "Card B", 5, 9))
    properties = [
        SimpleNamespace(uuid=card.uuid.removeprefix("GPU-"), name=card.name)
        for card in reversed(cards)
    ]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: properties[index].name)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties[index])
    monkeypatch.setattr(devices, "cards", lambda: cards)
    for name, card in zip(("cuda:1", "cuda:0"), cards, strict=True):
        monkeypatch.setenv("GRADUS_CARD", card.uuid)
        chosen = choose_device("auto")
        assert (chosen.name, chosen.card) == (name, card.name)
        assert chosen.why.startswith(f"{card.name} has no other run and ")
    monkeypatch.setenv("GRADUS_CARD", "GPU-elsewhere")
    assert choose_device("auto").card == "Card B"


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        (None, "abc"), ("", ""), ("1", "b"), ("2,0", "ca"), ("GPU-b", "b"),
        ("GPU-c1, 0", "ca"), ("0,9,1", "a"), ("-1", ""), ("GPU-", ""), ("MIG-x", ""),
    ],
)  # fmt: skip
def test_cards_are_seen_as_cuda_sees_them(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, seen: str
) -> None:
    """CUDA_VISIBLE_DEVICES chooses and orders, by number or by how a uuid alone begins."""
    present = tuple(Card(f"GPU-{letter}1", letter, 1, 2) for letter in "abc")
    monkeypatch.setattr(devices, "cards", lambda: present)
    monkeypatch.setattr(devices, "_torch_version", lambda: "2.9.0")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert "".join(card.name for card in devices.visible_cards()) == seen
    monkeypatch.setattr(devices, "_torch_version", lambda: "2.9.0+cpu")
    assert devices.visible_cards() == ()


def test_places_are_where_a_run_may_train(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any card, the one with most free memory first; the one named; the CPU where there is none."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "_torch_version", lambda: "2.9.0")
    monkeypatch.setattr(
        devices, "cards", lambda: (Card("GPU-a", "A", 1, 9), Card("GPU-b", "B", 5, 9))
    )
    assert devices.places("auto") == devices.places("cuda") == ("GPU-b", "GPU-a")
    assert devices.places("cuda:0") == ("GPU-a",) and devices.places("cpu") == ("cpu",)
    assert devices.places("cuda:7") == ("cpu",) and devices.places("mps") == ("mps",)
    assert devices.place_name("GPU-b") == ("cuda:1", "B") and devices.place_name("cpu") == (
        "cpu",
        "",
    )
    monkeypatch.setattr(devices, "cards", lambda: ())
    monkeypatch.setattr(sys, "platform", "linux")
    assert devices.places("auto") == ("cpu",)


def test_children_count_cards_as_the_driver_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that cuda:1 is one card for the line and for torch, unless the user orders them."""
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    assert child_environment()["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    assert child_environment()["CUDA_DEVICE_ORDER"] == "FASTEST_FIRST"
