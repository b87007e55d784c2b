"""The address of a Ray cluster, checked without importing Ray."""

from __future__ import annotations

import importlib.util
import re

from executors.errors import RecipeError

__all__ = ["HERE", "check_address"]

HERE = "here"  # this machine, where an address is set but not wanted
_ADDRESS = re.compile(r"(ray://)?([\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}|auto")


def check_address(asked: str) -> str:
    """The address as Ray takes it; "" for this machine.

    Raises
    ------
    RecipeError
        When it is no address, or Ray is not installed.

    Examples
    --------
    >>> check_address("here")
    ''
    >>> check_address("ray://me:secret@box:10001")
    Traceback (most recent call last):
    ...
    executors.errors.RecipeError: that is not an address of a Ray cluster; write ray://HOST:PORT \
(10001 unless `ray start --head` was given another), HOST:PORT or auto on a machine of the \
cluster itself, or here
    """
    address = asked.strip()
    if address in ("", HERE):
        return ""
    if not _ADDRESS.fullmatch(address):  # not shown: it might hold a password
        raise RecipeError(
            "that is not an address of a Ray cluster; write ray://HOST:PORT (10001 unless `ray "
            "start --head` was given another), HOST:PORT or auto on a machine of the cluster "
            "itself, or here"
        )
    if importlib.util.find_spec("ray") is None:
        raise RecipeError(f'{address} needs Ray, which is not installed; pip install "gradus[ray]"')
    return address
