"""Which concept a link or an entry of front matter means: by its section, its target, its file, or its words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

from ingest.files import SUFFIXES
from ingest.labels import heading_names, merge_key
from kg.linking import Lexicon
from kg.types import Concept

__all__ = ["Targets", "entries_of"]

_WIKILINK = re.compile(r"!?\[\[(?P<target>[^\[\]|#]*)(?P<section>#[^\[\]|]*)?(?:\|(?P<shown>[^\[\]]*))?\]\]")
_LINK = re.compile(r"\[(?P<shown>[^\[\]]*)\]\(<?(?P<target>[^()<>#\s]*)(?P<section>#[^()<>\s]*)?[^()]*\)")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)


@dataclass(frozen=True, slots=True)
class Targets:
    """Names of concepts, and titles of notes by file name without ending."""

    names: Mapping[str, int]
    files: Mapping[str, int]
    explained: frozenset[int]  # concepts that some passage defines; others are only linked to
    lexicon: Lexicon

    @classmethod
    def of(cls, concepts: Sequence[Concept], titles: Mapping[str, int | None]) -> Targets:
        """Of these concepts, and of notes with the concept that each is about; the first of equal file names counts."""
        names = {merge_key(n): c.id for c in reversed(concepts) for n in (*c.aliases, c.label)}
        files: dict[str, int] = {}
        for note, title in titles.items():
            if title is not None:
                files.setdefault(_stem(note).casefold(), title)
        return cls(names, files, frozenset(c.id for c in concepts if c.passages), Lexicon.of(concepts))

    def linked(self, link: str) -> int | None:
        """The concept that a wikilink or a Markdown link means.

        A section that names a concept is meant rather than the note it stands in. A name that is only linked to gives
        way to a file of that name, and what is shown to both.
        """
        match = _WIKILINK.fullmatch(link.strip()) or _LINK.fullmatch(link.strip())
        if match is None:
            return None
        target, section, shown = (part or "" for part in match.group("target", "section", "shown"))
        external = _ADDRESS.match(target) is not None
        file = "" if external else _stem(unquote(target))
        spoken = heading_names(re.sub(r"[_-]+", " ", file)) if file else None
        words = (unquote(section).rsplit("#", 1)[-1], file, spoken.label if spoken else "")
        called = [self._called(name) for name in words]
        found = [c for c in called if c in self.explained]
        found += [self.files[file.casefold()]] if file.casefold() in self.files else []
        found += [c for c in (*called, self._called(shown)) if c is not None]
        return found[0] if found else None

    def _called(self, name: str) -> int | None:
        return self.names.get(merge_key(name)) if merge_key(name) else None

    def named(self, entry: str) -> int | None:
        """The concept that an entry of front matter means: a link, a name, a file, or words with a name in them."""
        if (linked := self.linked(entry)) is not None:
            return linked
        text = entry.strip().strip("[]")
        named = self._called(text)
        if named is None:
            named = self.files.get(_stem(text).casefold())
        if named is None:
            found = self.lexicon.find(text, strict_case=False)
            named = found[0].concept if found else None
        return named


def _stem(target: str) -> str:
    """A file's name without folders and ending; of a name that is no file's, the name."""
    name = PurePosixPath(target.strip()).name
    ending = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    return name.removesuffix(name[len(name) - len(ending) :]) if ending else name


def entries_of(value: object) -> Iterator[str]:
    """The entries of a field of front matter: a list, as YAML reads one or in words with commas or links.

    >>> list(entries_of([["Chain Rule"], "[[Limit|limits]]"])), list(entries_of("[[A, B]], [[C]] and so on"))
    (['Chain Rule', '[[Limit|limits]]'], ['[[A, B]]', '[[C]]'])
    """
    if isinstance(value, list):
        # YAML takes an unquoted [[Chain Rule]] for a list in a list.
        for entry in value:
            yield from entries_of(entry) if isinstance(entry, list) else [str(entry)] if entry is not None else []
    elif isinstance(value, str):
        links = [m.group() for pattern in (_WIKILINK, _LINK) for m in pattern.finditer(value)]
        yield from links or (part.strip() for part in value.split(",") if part.strip())
    elif value is not None and not isinstance(value, dict):
        yield str(value)
