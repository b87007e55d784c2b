"""Texts and bytes as a store keeps what is read whole: packed."""

from __future__ import annotations

import zlib

__all__ = ["pack", "pack_text", "unpack", "unpack_text"]


def pack(content: bytes) -> bytes:
    """Bytes in fewer."""
    return zlib.compress(content)


def unpack(packed: bytes) -> bytes:
    """The bytes that `pack` took.

    Raises
    ------
    ValueError
        When they are damaged.
    """
    try:
        return zlib.decompress(packed)
    except zlib.error as error:
        raise ValueError(str(error)) from error


def pack_text(text: str) -> bytes:
    """A text in few bytes."""
    return pack(text.encode())


def unpack_text(packed: bytes) -> str:
    """The text that `pack_text` took.

    Raises
    ------
    ValueError
        When it is damaged.
    """
    return unpack(packed).decode()
