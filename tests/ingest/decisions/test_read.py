"""The overrides file: read with its lines, its errors named, and always in force."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import build
from ingest.build import Report, ingest
from ingest.decisions.read import decisions_in, overrides_of, read_overrides
from kg.encoder import Encoder
from kg.store import open_store
from kg.types import Relation

Everything = Callable[[Path], dict[str, object]]
NOTES = {
    "convexity.md": "# Convexity\n\nA set is convex when it has no dents.\n",
    "lasso.md": "# Lasso | Least Absolute Shrinkage\n\nThe lasso sets weights to zero.\n\nNeeds: "
    "[[Ridge]].\n",
    "ridge.md": "# Ridge\n\nRidge shrinks all weights.\n\n## Sparsity\n\nA remark.\n",
    "pruning.md": "---\nprerequisites: [Lasso]\n---\n# Pruning\n\nPruning takes small weights out, "
    "as lassos do.\n",
    "net.md": "# Elastic Net\n\nThe elastic net is a regression whose penalty keeps convexity. "
    "Convexity gives the "
    "elastic net one minimum.\nBy convexity its path is continuous.\n",
}


@pytest.fixture(autouse=True, scope="module")
def quick(encoder: Encoder) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "load_encoder", lambda name: encoder)
        patch.setattr(build, "check_weights", lambda name: "")
        yield


@dataclass(frozen=True)
class Vault:
    """A folder of notes with its store."""

    notes: Path
    store: Path

    def write(self, **texts: str) -> None:
        for stem, text in texts.items():
            (self.notes / f"{stem}.md").write_text(text, encoding="utf-8")

    def decide(self, text: str) -> Report:
        """Write the overrides file and ingest."""
        (self.notes / "gradus.toml").write_text(text, encoding="utf-8")
        return ingest([self.notes], self.store)

    def edges(self, kept: bool = True) -> dict[tuple[str, str], Relation]:
        with closing(open_store(self.store)) as store:
            relations = store.relations if kept else store.candidates()
        label = [c.label for c in store.concepts]
        found = [r for r in relations if r.kind == "prerequisite"]
        return {(label[r.source], label[r.target]): r for r in found}

    def concepts(self) -> dict[str, tuple[str, ...]]:
        with closing(open_store(self.store)) as store:
            return {c.label: c.aliases for c in store.concepts}


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "notes").mkdir()
    for name, text in NOTES.items():
        (tmp_path / "notes" / name).write_text(text, encoding="utf-8")
    made = Vault(tmp_path / "notes", tmp_path / "store")
    ingest([made.notes], made.store)
    return made


def said(report: Report) -> list[tuple[str, int, str]]:
    return [(w.note, w.line, w.error) for w in report.warnings]


def test_the_notes_of_these_tests_have_inferred_and_stated_edges(vault: Vault) -> None:
    """So that there is something to win over."""
    edges = vault.edges()
    assert edges["Ridge", "Lasso"].tier == edges["Lasso", "Pruning"].tier == "stated"
    assert edges["Convexity", "Elastic Net"].tier != "stated"


def test_an_added_edge_is_kept_with_file_and_line(vault: Vault) -> None:
    """At once, though no note changed, and for the next ingest too.

    The reverse, stated by a note, is not kept.
    """
    report = vault.decide('# mine\nadd = [\n  ["pruning", "Ridge"],\n  ["Pruning", "Lasso"],\n]\n')
    assert (report.unchanged, report.changed, report.encoded, report.warnings) == (5, 0, 0, ())
    for _ in range(2):
        edge = vault.edges()["Pruning", "Lasso"]
        assert (edge.tier, edge.score) == ("stated", 1.0)
        place = edge.evidence[0]
        assert (place.note, place.line, place.quote) == ("gradus.toml", 4, '["Pruning", "Lasso"],')
        assert place.signal == "gradus.toml" and place.cell is None
        overruled = vault.edges(kept=False)["Lasso", "Pruning"]
        assert (overruled.evidence[0].note, overruled.evidence[0].line) == ("pruning.md", 2)
        ingest([vault.notes], vault.store)


@pytest.mark.parametrize(
    "pair", [("Convexity", "Elastic Net"), ("Lasso", "Pruning"), ("Ridge", "Lasso")]
)
def test_a_removed_edge_is_gone_however_it_was_found(vault: Vault, pair: tuple[str, str]) -> None:
    """Inferred, from front matter, or from a line of the note; its evidence says who removed it."""
    assert pair in vault.edges()
    vault.decide(f"remove = [{json.dumps(pair)}]")
    assert pair not in vault.edges()
    removed = vault.edges(kept=False)[pair]
    assert (removed.evidence[0].note, removed.evidence[0].line, removed.tier) == (
        "gradus.toml",
        1,
        "",
    )
    (vault.notes / "gradus.toml").unlink()
    ingest([vault.notes], vault.store)
    assert pair in vault.edges()


def test_one_added_edge_does_not_stop_inference(vault: Vault) -> None:
    """What was inferred for the same concept stays."""
    before = set(vault.edges())
    vault.decide('add = [["Pruning", "Elastic Net"]]')
    assert set(vault.edges()) == before | {("Pruning", "Elastic Net")}


def test_decisions_take_aliases_and_loose_spelling(vault: Vault) -> None:
    """Case, plural and further names aside."""
    assert said(vault.decide('remove = [["ridges", "least absolute shrinkage"]]')) == []
    assert ("Ridge", "Lasso") not in vault.edges()


def test_merged_concepts_are_one(vault: Vault) -> None:
    """Under the first name; the other is an alias, and edges of both are those of the one."""
    assert said(vault.decide('merge = [["Ridge", "Lasso"]]')) == []
    assert vault.concepts()["Ridge"] == ("Lasso", "Least Absolute Shrinkage")
    assert "Lasso" not in vault.concepts() and ("Ridge", "Pruning") in vault.edges()


def test_the_first_name_of_a_merge_is_the_label_also_when_it_is_an_alias(vault: Vault) -> None:
    """As the notes spell it."""
    vault.decide('merge = [["least absolute shrinkage", "Ridge"]]')
    assert vault.concepts()["Least Absolute Shrinkage"] == ("Lasso", "Ridge")


def test_merges_that_share_a_concept_make_one_of_all(vault: Vault) -> None:
    """With the label of the first; another label is said to be none."""
    report = vault.decide('merge = [\n["Ridge", "Lasso"],\n["Lasso", "Pruning"]]')
    assert set(vault.concepts()["Ridge"]) == {"Lasso", "Least Absolute Shrinkage", "Pruning"}
    assert said(report) == [
        (
            "gradus.toml",
            3,
            "line 2 gives the label 'Ridge', so 'Lasso' is none; put the same name first in both",
        )
    ]
    assert said(vault.decide('merge = [["Ridge", "Lasso"], ["Ridge", "Pruning"]]')) == []


def test_a_renamed_concept_keeps_its_old_name_as_an_alias(vault: Vault) -> None:
    """So that what calls it so still means it, decisions too."""
    report = vault.decide('rename = [["Lasso", "L1 penalty"]]\nadd = [["Lasso", "Convexity"]]')
    assert said(report) == []
    assert vault.concepts()["L1 penalty"] == ("Lasso", "Least Absolute Shrinkage")
    assert {("L1 penalty", "Pruning"), ("L1 penalty", "Convexity")} <= set(vault.edges())


def test_an_ignored_label_takes_the_concept_away(vault: Vault) -> None:
    """Its section belongs to the concept around it."""
    with closing(open_store(vault.store)) as store:
        found = [len(c.passages) for c in store.concepts if c.label in ("Ridge", "Sparsity")]
        assert found == [1, 1]
    assert said(vault.decide('ignore = ["Sparsity"]')) == []
    with closing(open_store(vault.store)) as store:
        assert "Sparsity" not in [c.label for c in store.concepts]
        (ridge,) = (c for c in store.concepts if c.label == "Ridge")
        assert [store.passages[p].heading_path for p in ridge.passages] == [
            ("Ridge",),
            ("Ridge", "Sparsity"),
        ]


def test_an_ignored_alias_is_no_name_any_more(vault: Vault) -> None:
    """The concept stays."""
    report = vault.decide(
        'ignore = ["Least absolute shrinkage"]\nadd = [["Least Absolute Shrinkage", "Convexity"]]'
    )
    assert vault.concepts()["Lasso"] == ()
    ((_, line, error),) = said(report)
    assert line == 2 and error.startswith(
        "'Least Absolute Shrinkage' is ignored by line 1, so this does nothing"
    )


def test_entries_that_cannot_be_followed_are_named_and_the_rest_holds(vault: Vault) -> None:
    """Each with its line, what is wrong, and what to do."""
    report = vault.decide(
        'add = [\n  ["Convexity", "Ridge regression"],\n'
        '  ["Lasso", "lasso"],\n  ["Convexity", "Pruning"],\n]\n'
        'remove = [["Sparsity", "Ridge"], ["Convexity", "Pruning"]]\n'
        'merge = [["Sparsity", "Lasso"], ["Nothing", "Lasso"]]\n'
        'rename = [\n["Lasso", "Ridge"],\n'
        '["Pruning", "Thinning"], ["Pruning", "Cutting"],\n["Convexity", "thinning"]\n]\n'
        'ignore = ["Sparsity", "Qwertz"]\n'
    )
    todo = "write it as 'gradus concepts' does, or take the entry out"
    assert said(report) == [
        ("gradus.toml", 2, f"the notes have no concept 'Ridge regression'; {todo}"),
        ("gradus.toml", 3,
         "both names are the concept 'Lasso', which cannot come before itself; take the entry out"),
        ("gradus.toml", 4,
         "'Convexity' before 'Thinning' is added here and removed in line 6; it stays removed: "
         "take one of the two lines out"),
        ("gradus.toml", 6,
         "'Sparsity' is ignored by line 13, so this does nothing; take one of the two entries out"),
        ("gradus.toml", 7,
         "'Sparsity' is ignored by line 13, so this does nothing; take one of the two entries out"),
        ("gradus.toml", 7, f"the notes have no concept 'Nothing'; {todo}"),
        ("gradus.toml", 9,
         "'Ridge' is another concept already; to make them one: merge = [[\"Ridge\", \"Lasso\"]]"),
        ("gradus.toml", 10,
         "line 10 renames the same concept to 'Thinning', which holds; take one of the two out"),
        ("gradus.toml", 11, "line 10 gives the name 'thinning' to another concept"),
        ("gradus.toml", 13, f"the notes have no concept 'Qwertz'; {todo}"),
    ]  # fmt: skip
    assert {"Thinning", "Ridge", "Lasso", "Convexity", "Elastic Net"} == set(vault.concepts())
    assert ingest([vault.notes], vault.store).warnings == report.warnings, (
        "said again while it stands"
    )


def test_the_closest_names_are_told(vault: Vault) -> None:
    """For a name that is only misspelt."""
    ((_, _, error),) = said(vault.decide('ignore = ["Convexty"]'))
    assert error.startswith(
        "the notes have no concept 'Convexty'; the closest are 'Convexity'; write it as"
    )


WRONG = {
    "adds = []": (1, "unknown key 'adds'; expected one of add, remove, merge, rename, ignore"),
    "\n[rename]\nLasso = 'L1'": (
        2,
        "'rename' is not a list; expected pairs of names, the old one first, as in rename = ",
    ),
    "[[merge]]\nconcepts = ['a']": (
        1,
        "'merge' is not a list; expected lists of two or more names, the label first",
    ),
    "add = ['Lasso', 'Ridge']": (
        1,
        "'add' holds \"Lasso\"; expected pairs of names, first what comes first, as in ",
    ),
    "add = [\n['Lasso',\n'Ridge'],\n['a', 'b', 'c']]": (
        4,
        '\'add\' holds ["a", "b", "c"]; expected pairs of',
    ),
    "merge = [\n\n['Lasso']]": (
        3,
        "'merge' holds [\"Lasso\"]; expected lists of two or more names, the label first",
    ),
    "rename = [['Lasso', ' ']]": (
        1,
        '\'rename\' holds ["Lasso", " "]; expected pairs of names, the old one first',
    ),
    "ignore = [\n'x',\n3]": (3, "'ignore' holds 3; expected names, as in ignore = [\"Where\"]"),
    "ignore = 'Lasso'": (1, "'ignore' is not a list; expected names, as in ignore = [\"Where\"]"),
    "remove = [1979-05-27]": (1, "'remove' holds \"1979-05-27\"; expected pairs of names"),
}


@pytest.mark.parametrize("text", WRONG)
def test_an_entry_of_a_wrong_type_is_named_and_the_others_count(text: str) -> None:
    """With what was found and what was expected."""
    line, error = WRONG[text]
    decisions, failures = read_overrides(
        f"remove = [['Lasso', 'Pruning']]\n{text}" if "remove" not in text else text, "f"
    )
    assert [d.kind for d in decisions if d.names == ("Lasso", "Pruning")] == ["remove"] * (
        "remove" not in text
    )
    assert failures[0].note == "f" and failures[0].line == line + ("remove" not in text)
    assert failures[0].error.startswith(error)


def test_text_that_is_not_toml_is_left_out_whole(vault: Vault) -> None:
    """With the line; once it is mended it counts."""
    assert said(vault.decide('remove = [["Ridge", "Lasso"]]\nadd = [["Lasso" "Ridge"]]\n')) == [
        (
            "gradus.toml",
            2,
            "not valid TOML, so nothing in it counts: Unclosed array (at line 2, column 17)",
        )
    ]
    assert ("Ridge", "Lasso") in vault.edges()
    assert said(vault.decide('remove = [["Ridge", "Lasso"]]\n')) == []
    assert ("Ridge", "Lasso") not in vault.edges()
    nested = "[" * 100_000
    ((_, line, error),) = said(vault.decide(f"add = {nested}"))
    assert line == 1 and error.startswith("not valid TOML, so nothing in it counts")


def test_a_file_that_cannot_be_decoded_is_left_out(vault: Vault) -> None:
    """With the line of the first bad byte; a byte order mark is none."""
    (vault.notes / "gradus.toml").write_bytes(b'ignore = []\nadd = ["\xff"]\n')
    assert said(ingest([vault.notes], vault.store)) == [
        ("gradus.toml", 2, "the file is not UTF-8, so nothing in it counts; save it as UTF-8")
    ]
    (vault.notes / "gradus.toml").write_bytes('\ufeffremove = [["Ridge", "Lasso"]]\r\n'.encode())
    assert said(ingest([vault.notes], vault.store)) == []
    assert ("Ridge", "Lasso") not in vault.edges()
    (vault.notes / "gradus.toml").unlink()
    (vault.notes / "gradus.toml").mkdir()
    ((name, line, error),) = said(ingest([vault.notes], vault.store))
    assert (name, line) == ("gradus.toml", 1) and error.startswith(
        "the file cannot be read (Is a directory)"
    )


def test_several_folders_have_a_file_each(vault: Vault, tmp_path: Path) -> None:
    """Together they decide, and each is named with its folder.

    Against each other they are told so.
    """
    other = tmp_path / "other"
    other.mkdir()
    (other / "sgd.md").write_text("# SGD\n\nGradient descent on a sample.\n", encoding="utf-8")
    (other / "gradus.toml").write_text(
        'add = [["Convexity", "SGD"]]\nremove = [["Ridge", "Lasso"]]', encoding="utf-8"
    )
    (vault.notes / "gradus.toml").write_text('add = [["Ridge", "Lasso"]]', encoding="utf-8")
    report = ingest([vault.notes, other], vault.store)
    assert ("Convexity", "SGD") in vault.edges() and ("Ridge", "Lasso") not in vault.edges()
    assert said(report) == [
        (
            "notes/gradus.toml",
            1,
            "'Ridge' before 'Lasso' is added here and removed in other/gradus.toml line 2; "
            "it stays removed: take one of the two lines out",
        )
    ]


def test_a_file_below_the_ingested_folder_is_told_to_be_out_of_force(vault: Vault) -> None:
    """It counts when its folder is ingested by itself."""
    (vault.notes / "sub").mkdir()
    (vault.notes / "sub/x.md").write_text("# Newton\n\nA step.\n", encoding="utf-8")
    (vault.notes / "sub/gradus.toml").write_text(
        'rename = [["Newton", "Newton step"]]', encoding="utf-8"
    )
    ((name, line, error),) = said(ingest([vault.notes], vault.store))
    assert (name, line) == ("gradus.toml", 1)
    assert (
        error == "it counts only in the folder that was ingested; "
        f"move what it says to {vault.notes / 'gradus.toml'}"
    )
    assert "Newton step" not in vault.concepts()
    ingest([vault.notes / "sub"], vault.store.with_name("another"))
    assert "Newton step" in Vault(vault.notes, vault.store.with_name("another")).concepts()


def test_what_a_folder_decides_holds_while_the_folder_is_away(vault: Vault, tmp_path: Path) -> None:
    """A drive that is not mounted takes no decision with it; a file that is deleted does."""
    vault.decide('remove = [["Ridge", "Lasso"]]')
    (tmp_path / "other").mkdir()
    (tmp_path / "other/sgd.md").write_text(
        "# SGD\n\nGradient descent on a sample.\n", encoding="utf-8"
    )
    vault.notes.rename(tmp_path / "away")
    ingest([tmp_path / "other"], vault.store)
    assert ("Ridge", "Lasso") not in vault.edges()


def test_equal_files_give_equal_texts(tmp_path: Path) -> None:
    """Whatever the order of the notes; none without a file."""
    notes = [(str(tmp_path), str(tmp_path / "b.md")), (str(tmp_path), str(tmp_path / "s/a.md"))]
    assert overrides_of(notes, "") == "" and decisions_in("") == ((), ())
    (tmp_path / "gradus.toml").write_text('ignore = ["é"]', encoding="utf-8")
    assert overrides_of(notes, "") == overrides_of(notes[::-1], overrides_of(notes, "")) != ""
    ((decision,), ()) = decisions_in(overrides_of(notes, ""))
    assert (decision.kind, decision.names, decision.place.line) == ("ignore", ("é",), 1)


def test_the_readmes_example_holds() -> None:
    """It is a file that can be read as it stands, with one entry of each kind."""
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
    decisions, failures = read_overrides(
        readme.split("```toml\n")[1].split("```")[0], "gradus.toml"
    )
    assert [d.kind for d in decisions] == [
        "add",
        "remove",
        "merge",
        "rename",
        "ignore",
    ] and failures == []


LABELS = ("Convexity", "Lasso", "Ridge", "Pruning", "Dropout")
pairs = st.lists(
    st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)).filter(lambda p: p[0] != p[1]),
    max_size=4,
)
needs = st.lists(st.lists(st.sampled_from(LABELS), max_size=2, unique=True), min_size=5, max_size=5)


@settings(max_examples=100 if os.environ.get("GRADUS_SOAK") else 10)
@given(needs, needs, pairs, pairs, st.permutations(range(5)))
def test_overrides_always_win(
    everything: Everything, stated: list[list[str]], named: list[list[str]],
    add: list[tuple[str, str]], remove: list[tuple[str, str]], order: list[int],
) -> None:  # fmt: skip
    """Over any notes: added edges are kept unless decisions contradict them, removed ones never.

    Nothing is cyclic.

    A second ingest changes nothing, and the notes one by one, in any order, make the same store.
    """
    folder = Path(tempfile.mkdtemp())
    try:
        vault = Vault(folder / "notes", folder / "store")
        vault.notes.mkdir()
        for label, first, other in zip(LABELS, stated, named, strict=True):
            front = f"---\nprerequisites: {json.dumps([f for f in first if f != label])}\n---\n"
            vault.write(
                **{
                    label: f"{front}# {label}\n\nOf {label}. "
                    f"{' '.join(f'It uses {o}.' for o in other)}\n"
                }
            )
        vault.write(other="# Momentum\n\nNothing to do with it.\n")
        report = vault.decide(f"add = {json.dumps(add)}\nremove = {json.dumps(remove)}\n")
        edges = vault.edges()
        assert nx.is_directed_acyclic_graph(nx.DiGraph(list(edges)))
        assert not set(remove) & set(edges)
        assert all(vault.edges(kept=False)[p].evidence[0].note == "gradus.toml" for p in remove)
        chosen = nx.DiGraph([p for p in add if p not in remove])
        for pair in set(add):
            if pair in edges:
                assert (edges[pair].tier, edges[pair].evidence[0].note) == ("stated", "gradus.toml")
            else:
                assert pair in remove or not nx.is_directed_acyclic_graph(chosen)
                assert any(w.note == "gradus.toml" and w.line == 1 for w in report.warnings)
        before = everything(vault.store)
        assert ingest([vault.notes], vault.store).warnings == report.warnings
        assert everything(vault.store) == before
        for i in order:
            ingest([vault.notes / f"{LABELS[i]}.md"], folder / "one by one")
        ingest([vault.notes / "other.md"], folder / "one by one")
        assert everything(folder / "one by one") == before
    finally:
        shutil.rmtree(folder)
