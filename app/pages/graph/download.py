"""The graph as a file that the browser keeps: what the map shows, or all there is."""

from __future__ import annotations

import base64
from collections.abc import Collection

from app.exports.formats import FILES, WRITERS, zipped_cards
from app.exports.selection import Choice, node_ids
from kg.errors import GradusError
from kg.store import Store

__all__ = ["download"]


def download(
    store: Store, form: str, shown: Collection[int] | None = None, about: int | None = None
) -> dict[str, str]:
    """Name, media type and content of a file, as `assets/download.js` takes it.

    Parameters
    ----------
    form : str
        One of `FILES`.
    shown : collection of int or None
        The concepts on the map, of which the file holds the arrows that are drawn; None for the
        whole graph, with what `gradus export` gives of it unless told otherwise.
    about : int or None
        The concept around which the map is drawn; names the file.

    Returns
    -------
    dict
        `name`, `type`, and the content as `text`, or as `base64` where it is no text.

    Raises
    ------
    GradusError
        When there is no such format.
    """
    kind = FILES.get(form)
    if kind is None:
        raise GradusError(f"expected one of {', '.join(FILES)}, got '{form[:40]}'")
    if shown is not None:
        choice = Choice("prerequisite", short=True, only=frozenset(shown))
    else:
        choice = Choice("all" if kind.every_kind else "prerequisite")
    part = "graph" if shown is None else "map"
    if shown is not None and about is not None:
        (part,) = node_ids([store.concepts[about].label])
    file = {"name": f"gradus-{part}{kind.suffix}", "type": kind.media_type}
    if form in WRITERS:
        return file | {"text": WRITERS[form](store, choice)}
    return file | {"base64": base64.b64encode(zipped_cards(store, choice)).decode("ascii")}
