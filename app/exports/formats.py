"""Every format of the graph under its name: as one text, or as one file for a browser."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.exports.canvas import to_canvas
from app.exports.cards import cards
from app.exports.dot import to_dot
from app.exports.graphml import to_graphml
from app.exports.mermaid import to_mermaid
from app.exports.node_link import to_json
from app.exports.selection import Choice
from kg.store import Store

__all__ = ["FILES", "WRITERS", "FileKind", "zipped_cards"]

WRITERS: Mapping[str, Callable[[Store, Choice], str]] = {
    "graphml": to_graphml,
    "json": to_json,
    "mermaid": to_mermaid,
    "dot": to_dot,
    "canvas": to_canvas,
}
FOLDER = "gradus-cards"  # in the archive, so that unpacking it strews no files
# The earliest time that an archive can tell, of every entry: equal graphs give equal files.
_FIRST_DAY = datetime(1980, 1, 1).timetuple()[:6]


@dataclass(frozen=True, slots=True)
class FileKind:
    """How a file of a format ends, and what it is."""

    suffix: str
    media_type: str
    every_kind: bool = False  # takes every kind of relation unless told otherwise


FILES: Mapping[str, FileKind] = {
    "graphml": FileKind(".graphml", "application/graphml+xml", every_kind=True),
    "json": FileKind(".json", "application/json", every_kind=True),
    "mermaid": FileKind(".mmd", "text/plain"),
    "dot": FileKind(".dot", "text/vnd.graphviz"),
    "canvas": FileKind(".canvas", "application/json"),
    "cards": FileKind("-cards.zip", "application/zip"),
}


def zipped_cards(store: Store, choice: Choice) -> bytes:
    """The cards of a part of the graph in one archive, in a folder of their own."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in cards(store, choice).items():
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", _FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16  # else some unpack it unreadable
            archive.writestr(entry, text.encode())
    return out.getvalue()
