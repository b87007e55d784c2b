"""What is at hand: this machine, a cluster's nodes, and the runs that wait and work there."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from executors.cluster.connect import connected, ray_here
from executors.cluster_address import check_address
from executors.devices import Card, cards, visible_cards
from executors.errors import RecipeError, one_line

__all__ = ["HEAD", "AtHand", "Node", "at_hand", "errand_name", "errands", "needs"]

HEAD = {"node:__internal_head__": 0.001}  # a share of what the head's node alone has
_ERRAND = "gradus-run-"
_ANSWER_S = 10.0  # of an actor that is there
_START_S = 45.0  # of a node that has no worker yet, and starts one


@dataclass(frozen=True, slots=True)
class Node:
    """One machine; `free_bytes` is memory that is not in use, by whatever program."""

    name: str
    address: str
    cpus: float
    cpus_free: float  # that Ray has not given away
    cards: tuple[Card, ...]
    cards_free: float
    free_bytes: int
    total_bytes: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class AtHand:
    """This machine, the nodes of a cluster, and its runs as `errands` gives them."""

    here: Node
    on: str  # the cluster's address
    nodes: tuple[Node, ...]
    runs: tuple[dict[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """The same as the command line prints it."""
        return asdict(self)


def at_hand(on: str = "") -> AtHand:
    """What there is here and, where an address is given, on the cluster.

    Raises
    ------
    RecipeError
        When the cluster cannot be reached or used.
    """
    address, memory, cores = check_address(on), psutil.virtual_memory(), float(os.cpu_count() or 1)
    present = visible_cards()
    here = Node(
        socket.gethostname(),
        "here",
        cores,
        cores,
        present,
        float(len(present)),
        memory.available,
        memory.total,
    )
    if not address:
        return AtHand(here, "", (), ())
    with connected(address) as ray:
        return AtHand(here, address, tuple(_nodes(ray)), tuple(errands(ray)))


def _nodes(ray: Any) -> list[Node]:
    """The cluster's nodes as they are now."""
    look, alive, found = ray.remote(_look), _alive(ray), list[Node]()
    affinity = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    asked = [
        look.options(
            num_cpus=0, max_retries=0, scheduling_strategy=affinity(node["NodeID"], soft=False)
        ).remote(node["NodeID"])
        for node in alive
    ]
    for node, answer in zip(alive, asked, strict=True):
        name, seen, fault = node["NodeManagerHostname"], _Seen({}, (), 0, 0), ""
        try:
            seen = ray.get(answer, timeout=_START_S)
        except Exception as error:  # noqa: BLE001 - a node may go, or lack Gradus, and is told of
            fault = f"does not answer: {one_line(error, 200)}"
        has, free = node["Resources"], seen.free
        left, cards_left = free.get("CPU", 0.0), free.get("GPU", 0.0)
        memory = seen.free_bytes, seen.total_bytes
        cores, address = has.get("CPU", 0.0), node["NodeManagerAddress"]
        found.append(Node(name, address, cores, left, seen.cards, cards_left, *memory, fault))
    return sorted(found, key=lambda node: (node.name, node.address))


def needs(ray: Any, asked: str) -> tuple[float, int]:
    """Cores and cards that a run takes, so that as many fit the cluster as it has cards.

    A run without a card takes the cores of a node, as it does on one machine.

    Raises
    ------
    RecipeError
        When a certain card is asked for, or one where there is none.
    """
    if ":" in asked:
        raise RecipeError(f"device '{asked}': on a cluster Ray chooses the card; ask for cuda")
    has = [node["Resources"] for node in _alive(ray)]
    with_cards = [one for one in has if one.get("GPU", 0) >= 1]
    if asked in ("auto", "cuda") and with_cards:
        return float(int(min(one.get("CPU", 0) / one["GPU"] for one in with_cards))), 1
    if asked == "cuda":
        raise RecipeError("device 'cuda' is not on this cluster; its nodes have no card")
    return max(1.0, min((one["CPU"] for one in has if one.get("CPU")), default=1.0)), 0


def errand_name(run: str) -> str:
    """The name of the actor that keeps a run."""
    return _ERRAND + run


def errands(ray: Any) -> list[dict[str, str]]:
    """The runs that the cluster keeps: `run, recipe, state, node`."""
    found = []
    for name in sorted(ray.util.list_named_actors()):
        if name.startswith(_ERRAND):
            with suppress(Exception):  # it may leave while it is asked
                summary = ray.get(ray.get_actor(name).summary.remote(), timeout=_ANSWER_S)
                found.append({"run": name.removeprefix(_ERRAND), **summary})
    return found


def _alive(ray: Any) -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a node sees of itself; `free` is what Ray has left to give there."""

    free: dict[str, float]
    cards: tuple[Card, ...]
    free_bytes: int
    total_bytes: int


def _look(node: str) -> _Seen:
    memory, state = psutil.virtual_memory(), ray_here()._private.state
    left = state.available_resources_per_node().get(node, {})
    return _Seen(dict(left), cards(), memory.available, memory.total)
