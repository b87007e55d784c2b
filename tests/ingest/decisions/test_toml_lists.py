"""Lists in TOML: each entry's line and offsets, and edits that change just one."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decisions.toml_lists import (
    error_line,
    key_places,
    with_entry,
    without_entry,
    without_list,
)

names = st.text(st.characters(codec="utf-8"), max_size=12)
pairs = st.tuples(names, names)
blanks = st.sampled_from(["", " ", "\t", "\n", "\n\n  ", ' # note, ["x"] \n', "\r\n"])


@st.composite
def quoted(draw: st.DrawFn) -> str:
    """A TOML string in any of the four ways to write one."""
    name = draw(names.map(lambda n: "".join(c for c in n if c.isprintable() and c not in "'\"\\")))
    style = draw(st.sampled_from(["basic", "literal", "long", "long literal"]))
    if style == "basic":
        return (
            '"'
            + name
            + draw(st.sampled_from(["", '\\"', "\\\\", "\\u00e9", " # no comment ["]))
            + '"'
        )
    if style == "literal":
        return "'" + name + draw(st.sampled_from(["", "\\", '"', "] # ="])) + "'"
    if style == "long":
        return '"""' + name + draw(st.sampled_from(["", '"', '""', "\n]", '\\"""'])) + '"""'
    return "'''" + name + draw(st.sampled_from(["", "'", "''", "\n,", "\\"])) + "'''"


@st.composite
def sources(draw: st.DrawFn) -> str:
    """A TOML text with lists of pairs, laid out in every way that is allowed."""

    def listed(entries: list[str]) -> str:
        out = "[" + draw(blanks)
        for i, entry in enumerate(entries):
            out += entry + draw(blanks)
            if i + 1 < len(entries) or draw(st.booleans()):
                out += "," + draw(blanks)
        return out + "]"

    out = draw(st.sampled_from(["", "# mine\n", "\n"]))
    for key in draw(
        st.lists(st.sampled_from(["add", "remove", '"merge"', "'other'"]), unique=True)
    ):
        entries = draw(st.lists(st.lists(quoted(), min_size=2, max_size=2).map(listed), max_size=4))
        out += f"{key} = {listed(entries)}" + draw(st.sampled_from(["\n", " # said\n", "\r\n\n"]))
    return out + draw(
        st.sampled_from(
            ["", "# end", "[table]\nadd = [1]\n", "[[add.x]]\n" if "add" not in out else ""]
        )
    )


@given(sources())
def test_every_entry_is_found_where_it_stands(text: str) -> None:
    """Its offsets cut out just that entry, on its line, and its comma is a comma."""
    values = tomllib.loads(text)
    found = key_places(text)
    assert list(found) == list(values)
    for key, value in values.items():
        place = found[key]
        if isinstance(value, list) and place.start >= 0:
            assert tomllib.loads(f"x = {text[place.start : place.end]}\n")["x"] == value
            assert [
                tomllib.loads(f"x = {text[e.start : e.end]}\n")["x"] for e in place.entries
            ] == value
        for entry in place.entries:
            assert entry.line == text.count("\n", 0, entry.start) + 1
            assert entry.comma < 0 or text[entry.comma] == ","


@given(sources(), st.data())
def test_taking_an_entry_out_leaves_all_others(text: str, data: st.DataObject) -> None:
    """The text stays valid, and says what it said but for that entry.

    Every comment of other lines stays.
    """
    values = tomllib.loads(text)
    held = [
        k for k, v in values.items() if isinstance(v, list) and v and key_places(text)[k].start >= 0
    ]
    if not held:
        return
    key = data.draw(st.sampled_from(held))
    i = data.draw(st.integers(0, len(values[key]) - 1))
    new, comment = without_entry(text, key, i)
    assert tomllib.loads(new) == {**values, key: values[key][:i] + values[key][i + 1 :]}
    assert new.count("# note") + comment.count("# note") + text[slice(*_span(text, key, i))].count(
        "# note"
    ) == (text.count("# note"))


@given(sources(), st.sampled_from(["add", "remove"]))
def test_a_list_is_taken_out_with_its_key(text: str, key: str) -> None:
    """All else says what it said, and every comment of a line of its own stays."""
    values = tomllib.loads(text)
    if not isinstance(values.get(key), list) or key_places(text)[key].start < 0:
        return
    new = without_list(text, key)
    assert tomllib.loads(new) == {k: v for k, v in values.items() if k != key}
    assert new.count("# note") == text.count("# note")


def _span(text: str, key: str, i: int) -> tuple[int, int]:
    entry = key_places(text)[key].entries[i]
    return entry.start, entry.end


@given(sources(), pairs, st.sampled_from(["", "# why"]))
def test_an_entry_is_added_at_the_end_of_its_list(
    text: str, pair: tuple[str, str], comment: str
) -> None:
    """Whatever the names hold and however the list is laid out.

    Nothing that was there is touched.
    """
    values = tomllib.loads(text)
    if isinstance(values.get("add"), dict):
        return
    new = with_entry(text, "add", pair, comment)
    assert tomllib.loads(new) == {**values, "add": [*values.get("add", []), list(pair)]}
    assert all(line.strip() in new for line in text.splitlines() if line.lstrip().startswith("#"))


@given(sources(), pairs)
def test_adding_and_taking_out_again_leaves_the_entries_as_they_were(
    text: str, pair: tuple[str, str]
) -> None:
    """By value."""
    values = tomllib.loads(text)
    if isinstance(values.get("add"), list):
        new, _ = without_entry(with_entry(text, "add", pair), "add", len(values["add"]))
        assert tomllib.loads(new) == values


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = \n", 1),
        ("a = 1\n\nb = [\n  1,\n  x\n]\n", 5),
        ('a = ["x"', 1),
        ('a = [\n"x",\n', 2),
        ("a = 1\na = 2\n", 2),
    ],
)
def test_an_error_of_tomllib_is_told_with_its_line(text: str, line: int) -> None:
    """The line it names, or the last when the text ends too early."""
    with pytest.raises(tomllib.TOMLDecodeError) as raised:
        tomllib.loads(text)
    assert error_line(raised.value, text) == line


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("", 'add = [\n    ["c", "d"],\n]\n'),
        ("# mine", '# mine\nadd = [\n    ["c", "d"],\n]\n'),
        ("add = []\n", 'add = [\n    ["c", "d"],\n]\n'),
        ('add = [["a", "b"]]\n', 'add = [["a", "b"], ["c", "d"]]\n'),
        ('add = [\n  ["a", "b"], # why\n]\n', 'add = [\n  ["a", "b"], # why\n  ["c", "d"],\n]\n'),
        ('add = [\n  ["a", "b"]  # why\n]\n', 'add = [\n  ["a", "b"],  # why\n  ["c", "d"],\n]\n'),
        (
            "ignore = ['x']\n\n# below\n[t]\n",
            'ignore = [\'x\']\nadd = [\n    ["c", "d"],\n]\n\n# below\n[t]\n',
        ),
    ],
)
def test_added_entries_look_like_those_around_them(text: str, new: str) -> None:
    """On a line of their own where the others are, with the same indent."""
    assert with_entry(text, "add", ["c", "d"]) == new
