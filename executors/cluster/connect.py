"""The connection to a Ray cluster; the one place that imports Ray.

A program has one connection at a time, which whoever asks for the same address shares.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from executors.cluster_address import check_address
from executors.errors import RecipeError, reason

__all__ = ["NAMESPACE", "Unreachable", "connected", "ray_here"]

NAMESPACE = "gradus"
_KNOCK_S = 10.0
_TRIES = 3  # a head that forks while gRPC works (GRPC_ENABLE_FORK_SUPPORT) loses one at times
_lock = threading.Lock()
_shared: dict[str, int] = {}  # users of the connection by address; at most one address


class Unreachable(RecipeError):
    """No cluster answers at the address."""


def ray_here() -> Any:
    """The module `ray`, which is connected already: on a cluster's own worker."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    return ray


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """The module `ray`, connected to the cluster until the end of the block.

    Raises
    ------
    Unreachable
        When no cluster answers.
    RecipeError
        When it cannot be used: another version of Ray or Python, another connection.
    """
    address = check_address(address)
    ray = ray_here()
    with _lock:
        if not _shared:
            _connect(ray, address)
        elif address not in _shared:
            other = next(iter(_shared))
            raise RecipeError(
                f"this program is already connected to {other}, so it cannot connect to {address}"
            )
        _shared[address] = _shared.get(address, 0) + 1
    try:
        yield ray
    finally:
        with _lock:
            _shared[address] -= 1
            if not _shared[address]:
                del _shared[address]
                with suppress(Exception):  # a cluster that is gone says so in many ways
                    ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    _knock(address)
    with suppress(Exception):  # what is left of a connection that was lost
        ray.shutdown()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        _connect_within(ray, address)
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray has set its own


def _connect_within(ray: Any, address: str) -> None:
    for left in reversed(range(_TRIES)):
        try:
            ray.init(
                address,
                namespace=NAMESPACE,
                log_to_driver=False,
                logging_level=logging.ERROR,
                ignore_reinit_error=True,
            )
            return
        except ConnectionAbortedError as error:  # the head's server of this client failed to start
            with suppress(Exception):
                ray.shutdown()
            if not left:
                raise Unreachable(f"{address} lets nobody in: {reason(error)}") from error
        except (RuntimeError, ray.exceptions.RayError) as error:  # another version, no token
            said = " ".join(str(error).split())
            raise RecipeError(f"{address} cannot be used: {said}") from error
        except (OSError, ValueError) as error:
            raise Unreachable(f"no Ray cluster answers at {address}: {reason(error)}") from error


def _knock(address: str) -> None:
    """Ask in seconds whether anybody listens, where Ray itself would try for minutes."""
    parts = re.fullmatch(r"(?:ray://)?\[?(.+?)\]?:(\d+)", address)
    if parts is None:
        return
    try:
        socket.create_connection((parts[1], int(parts[2])), _KNOCK_S).close()
    except (OSError, OverflowError) as error:
        raise Unreachable(
            f"no Ray cluster answers at {address}: {reason(error)}; is `ray start --head` running "
            "there, and may this machine reach the port?"
        ) from error
