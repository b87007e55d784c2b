"""Words that answers, pages and commands form alike."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from kg.errors import GradusError, NoStore

__all__ = ["DOUBT", "code_block", "count_of", "run_command", "shortened", "to_the_minute"]

DOUBT = "The notes may not answer this. The closest they have:"


def count_of(n: int, word: str) -> str:
    """A number of things.

    >>> count_of(1, "note"), count_of(3, "note")
    ('1 note', '3 notes')
    """
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, the last of them "…" where it was cut.

    >>> shortened("batch size", 10), shortened("batch size", 6)
    ('batch size', 'batch…')
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def to_the_minute(moment: str) -> str:
    """A moment in ISO 8601 without its seconds.

    >>> to_the_minute("2026-03-01T09:30:59+00:00")
    '2026-03-01 09:30'
    """
    return moment[:16].replace("T", " ")


def run_command(recipe: str, params: Mapping[str, object]) -> str:
    """How a recipe is run from the command line.

    >>> run_command("batch-size", {"max_batch": 64})
    'gradus run batch-size --max-batch 64'
    >>> run_command("lr-find", {"data": "my sales.csv"})
    "gradus run lr-find --data 'my sales.csv'"
    """
    options = "".join(
        f" --{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in params.items()
    )
    return f"gradus run {recipe}{options}"


def on_a_page(said: str | GradusError) -> str:
    """A message without the words of the command line, which stand in parentheses.

    Of a store that is not there yet, what to do on the pages.

    >>> on_a_page("name it in Target (--target); (--help) is no parameter")
    'name it in Target; (--help) is no parameter'
    >>> on_a_page("there is no store yet (`gradus ingest PATH` makes one)")
    'there is no store yet'
    """
    if isinstance(said, NoStore):
        return "There are no notes yet: add some under Notes, above."
    return re.sub(r"(?<=\w) \((?:--[a-z][a-z0-9-]*|`gradus [^`]*`[^()]*)\)", "", str(said))


def code_block(code: str, language: str = "python") -> str:
    """Fence code as Markdown, with a fence longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{re.sub(r'[^A-Za-z0-9+#-]', '', language)}\n{code.rstrip()}\n{fence}"
