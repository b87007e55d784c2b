"""What people say, settled: decisions win, no cycle, and every contradiction named."""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from ingest.decisions.settle import Decided, Settled, settle
from ingest.report import Failure
from kg.types import Concept, Evidence

CONCEPTS = tuple(Concept(i, name, (), (f"{name}.md",), "", ()) for i, name in enumerate("ABCDEF"))
Pair = tuple[int, int]
pairs = st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda p: p[0] != p[1])


def lines(said: Iterable[Pair], note: str) -> dict[Pair, Evidence]:
    return {
        pair: Evidence(note, None, line, "", "") for line, pair in enumerate(dict.fromkeys(said), 1)
    }


def settled(
    stated: Iterable[str] = (), add: Iterable[str] = (), remove: Iterable[str] = ()
) -> tuple[set[str], tuple[Failure, ...]]:
    """Kept pairs such as "AB" (A before B), and warnings, of pairs given in the same way."""
    ids = {name: i for i, name in enumerate("ABCDEF")}
    of = [lines([(ids[p[0]], ids[p[1]]) for p in said], note) for said, note in
          ((stated, "n.md"), (add, "gradus.toml"), (remove, "gradus.toml"))]  # fmt: skip
    found = settle(of[0], Decided(of[1], of[2]), CONCEPTS)
    return {"ABCDEF"[p] + "ABCDEF"[c] for p, c in found.kept}, found.warnings


@given(st.lists(pairs), st.lists(pairs), st.lists(pairs))
def test_decisions_win(stated: list[Pair], add: list[Pair], remove: list[Pair]) -> None:
    """What is removed is never kept, what is added is kept unless other decisions are against it.

    No cycle is left.
    """
    decided = Decided(lines(add, "gradus.toml"), lines(remove, "gradus.toml"))
    found = settle(lines(stated, "n.md"), decided, CONCEPTS)
    assert nx.is_directed_acyclic_graph(nx.DiGraph(list(found.kept)))
    assert found.removed == set(remove) and not found.kept & found.removed
    assert found.kept <= {*add, *stated}
    warned = {(w.note, w.line) for w in found.warnings}
    for pair in {*add} - found.kept:
        place = decided.add[pair]
        assert (place.note, place.line) in warned
        others = nx.DiGraph([p for p in add if p != pair and p not in found.removed])
        assert pair in found.removed or nx.has_path(others, pair[1], pair[0])
    assert settle({}, decided, CONCEPTS).kept == found.kept & {*add}, (
        "statements change no decision"
    )


@given(st.lists(pairs, unique=True), st.lists(pairs), st.lists(pairs))
def test_no_statement_is_lost_without_a_word(
    stated: list[Pair], add: list[Pair], remove: list[Pair]
) -> None:
    """It is kept, decided otherwise, or named in a warning from either side."""
    found = settle(lines(stated, "n.md"), Decided(lines(add, "x"), lines(remove, "x")), CONCEPTS)
    told = " ".join(w.error for w in found.warnings if w.note == "n.md")
    own = {w.line for w in found.warnings if w.note == "n.md"}
    decided = nx.DiGraph([p for p in found.kept if p in add])
    decided.add_nodes_from(range(6))
    for line, pair in enumerate(stated, 1):
        overruled = pair in found.removed or nx.has_path(decided, pair[1], pair[0])
        assert pair in found.kept or overruled or line in own or f"line {line}," in told


def every_line(found: Settled, pair: Pair) -> list[str]:
    return [e.note for e in found.lines[pair]]


def test_every_line_about_a_pair_is_its_evidence() -> None:
    """The decision first, then the note."""
    found = settle(
        lines([(0, 1), (1, 2)], "n.md"),
        Decided(lines([(0, 1)], "add"), lines([(1, 2)], "remove")),
        CONCEPTS,
    )
    assert (every_line(found, (0, 1)), every_line(found, (1, 2))) == (
        ["add", "n.md"],
        ["remove", "n.md"],
    )
    assert found.decided == {(0, 1), (1, 2)}


def test_what_notes_list_is_told_and_what_is_decided_is_not() -> None:
    """One confirmed edge does not stop inference for its concept.

    A list of needs does, also when one is removed.
    """
    found = settle(
        lines([(0, 1)], "n.md"), Decided(lines([(2, 3)], "x"), lines([(0, 1)], "x")), CONCEPTS
    )
    assert found.listing == {1}


def test_an_edge_both_added_and_removed_stays_removed() -> None:
    """And both lines are named."""
    kept, (warning,) = settled(add=["CD", "AB"], remove=["AB"])
    assert kept == {"CD"}
    assert warning == Failure(
        "gradus.toml", 2, "'A' before 'B' is added here and removed in line 1; it stays removed: "
                          "take one of the two "
        "lines out",
    )  # fmt: skip


def test_added_edges_that_close_a_cycle_are_named_with_the_others_lines() -> None:
    """The last one is left out."""
    kept, (warning,) = settled(add=["AB", "BC", "CA", "DE"])
    assert kept == {"AB", "BC", "DE"}
    assert (warning.line, warning.error) == (
        3, "'C' before 'A' closes a cycle with line 1, line 2, so it is left out; take one of "
           "these lines out",
    )  # fmt: skip


def test_notes_against_each_other_count_for_nothing_until_it_is_decided() -> None:
    """Adding one, or removing one, settles it without a warning."""
    kept, (warning,) = settled(["AB", "CD", "BA"])
    assert kept == {"CD"}
    assert (warning.note, warning.line) == ("n.md", 1)
    assert warning.error == (
        "'A' before 'B', stated here, is stated the other way round in line 3, so neither counts; "
        "correct one of them, or "
        'decide in gradus.toml, as in add = [["A", "B"]]'
    )
    assert settled(["AB", "CD", "BA"], add=["BA"]) == ({"BA", "CD"}, ())
    assert settled(["AB", "CD", "BA"], remove=["BA"]) == ({"AB", "CD"}, ())


def test_a_cycle_of_statements_loses_its_last_unless_decisions_break_it() -> None:
    """With each line of the cycle named."""
    kept, (warning,) = settled(["AB", "BC", "CA"])
    assert kept == {"AB", "BC"}
    assert (
        warning.line == 3
        and "closes a cycle with line 1, line 2, so it is left out" in warning.error
    )
    assert settled(["AB", "BC", "CA"], remove=["BC"]) == ({"AB", "CA"}, ())
    assert settled(["BC", "AB"], add=["CA"])[0] == {"CA", "BC"}


def test_a_statement_against_decisions_alone_is_overruled_quietly() -> None:
    """However many decisions it takes; with a note's line among them it is told."""
    assert settled(["CA"], add=["AB", "BC"]) == ({"AB", "BC"}, ())
    kept, (warning,) = settled(["BC", "CA"], add=["AB"])
    assert kept == {"AB", "BC"} and "gradus.toml line 1, line 1" in warning.error
