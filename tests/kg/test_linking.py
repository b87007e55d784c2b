"""Names of concepts in texts: longest first, in usual spellings, at exact offsets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import UnknownConcept
from kg.linking import (
    Lexicon,
    closest_labels,
    find_concept,
    fold,
    key,
    term_set,
    terms,
    words,
)
from kg.types import Concept


def concepts(*names: str | tuple[str, ...]) -> list[Concept]:
    """Concepts with these labels, or (label, alias, ...)."""
    whole = [(n,) if isinstance(n, str) else n for n in names]
    return [Concept(i, n[0], n[1:], (), "", ()) for i, n in enumerate(whole)]


def found(text: str, *names: str | tuple[str, ...], strict: bool = True) -> list[str]:
    """The pieces of a text in which any of the names are found."""
    return [
        text[f.start : f.end] for f in Lexicon.of(concepts(*names)).find(text, strict_case=strict)
    ]


def test_the_longest_name_wins() -> None:
    """Inside "batch size" there is no mention of "batch"; beside it there is."""
    lexicon = Lexicon.of(concepts("Batch", "Batch size", "Size"))
    assert [(f.concept, f.alias) for f in lexicon.find("A batch size, a batch")] == [
        (1, "Batch size"),
        (0, "Batch"),
    ]


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("batch", "batches"), ("loss", "losses"), ("matrix", "matrices"),
        ("batch size", "batch sizes"),
        ("bias", "biases"), ("formula", "formulas"), ("cache", "caches"), ("axis", "axes"),
        ("entropy", "entropies"),
        ("GPU", "GPUs"), ("gpu", "gpus"), ("ReLU", "ReLUs"), ("PCA", "PCAs"), ("phase", "phases"),
        ("movie", "movies"),
        ("hypothesis", "hypotheses"), ("minimum", "minima"), ("class", "classes"), ("box", "boxes"),
    ],
)  # fmt: skip
def test_one_and_many_are_the_same_name(one: str, many: str) -> None:
    """Plural and singular meet, in both directions."""
    assert key(one) == key(many)
    assert found(f"about {many} here", one) == [many]
    assert found(f"about {one} here", many) == [one]


@pytest.mark.parametrize(
    "word", ["bias", "loss", "series", "analysis", "gas", "corpus", "atlas", "this"]
)
def test_a_final_s_of_the_word_itself_stays(word: str) -> None:
    """What only looks like a plural is not shortened."""
    assert fold(word) == word


@given(st.text(alphabet="abceghiosuxyz", min_size=1, max_size=10))
def test_case_does_not_matter_to_folding(word: str) -> None:
    """A word in capitals, in small letters and at the start of a sentence is one word."""
    assert fold(word) == fold(word.upper()) == fold(word.capitalize())


def test_case_and_accents_do_not_matter() -> None:
    """Capitals, accents, and accents written as marks of their own are one name."""
    assert found("GÖDEL, gödel, go\u0308del and Godel", "Gödel") == [
        "GÖDEL",
        "gödel",
        "go\u0308del",
        "Godel",
    ]


def test_names_in_addresses_and_tags_are_no_mentions() -> None:
    """URLs, link targets, image paths and the inside of HTML tags do not speak of a concept.

    Shown words do.
    """
    text = (
        "see https://e.org/dropout [dropout](dropout.md) ![a](img/dropout.png) <img src='x' "
        "alt='dropout'> <https://dropout.org> and Dropout"
    )
    assert found(text, "Dropout") == ["dropout", "Dropout"]
    assert text.index("[dropout]") + 1 == Lexicon.of(concepts("Dropout")).find(text)[0].start


def test_parts_of_identifiers_are_no_mentions_but_emphasis_is() -> None:
    """A file name of joined words is not about them; underscores for emphasis are no joint."""
    assert found("06_cuda_dropout_init.ipynb, _dropout_ and __Dropout__", "Dropout") == [
        "dropout",
        "Dropout",
    ]


@pytest.mark.parametrize("label", ["U-Net", "UNet"])
@pytest.mark.parametrize("text", ["U-Net", "u-net", "unet", "UNet", "U-Nets"])
def test_hyphenated_and_joined_forms_meet(label: str, text: str) -> None:
    """The hyphen of a short name may be there or not, in the label as in the text."""
    assert found(f"the {text} here", label) == [text]


def test_spaces_stand_for_hyphens() -> None:
    """A hyphen and a space divide words alike."""
    assert found("skip connections, skip-connection, Skip\nconnection", "Skip-Connection") == [
        "skip connections", "skip-connection", "Skip\nconnection",
    ]  # fmt: skip
    assert found("a u net, mini-batches and minibatches", "U-Net", "Mini-batch") == [
        "u net", "mini-batches", "minibatches",
    ]  # fmt: skip


def test_a_name_does_not_cross_a_paragraph() -> None:
    """The last word of one paragraph and the first of the next are no name together."""
    assert found("we skip\n\nconnection matters", "Skip connection") == []


def test_short_acronyms_need_their_capitals_in_notes_only() -> None:
    """In prose "gan" may be anything; a question is typed in lower case."""
    assert found("the GAN, a gan and GANs", "GAN") == ["GAN", "GANs"]
    assert found("what is a gan?", "GAN", strict=False) == ["gan"]
    assert found("what is an lstm? LSTM", "LSTM") == ["lstm", "LSTM"]


def test_marks_of_a_name_count() -> None:
    """k-means++ is not k-means, nor C# C."""
    assert found("k-means++ beats k-means", "k-means") == ["k-means"]
    assert found("k-means++ beats k-means", "k-means++") == ["k-means++"]
    assert found("C# and C", "C#", strict=False) == ["C#"]


def test_a_label_wins_over_an_alias_then_the_earlier_concept() -> None:
    """One spelling has one owner, whatever order the concepts come in."""
    lexicon = Lexicon.of(
        concepts(("Parameter", "Weight"), "Weight", ("Bias", "Offset"), ("Shift", "Offset"))
    )
    assert [f.concept for f in lexicon.find("weights and an offset")] == [1, 2]


NAMES = [
    "Dropout",
    "Batch size",
    "Batch",
    "U-Net",
    "k-means++",
    "k-means",
    "GAN",
    "Skip Connection",
    "Überanpassung",
]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [*NAMES, *(n.lower() for n in NAMES), *(n.upper() + "s" for n in NAMES)]
            ),
            st.sampled_from(
                [
                    " ",
                    "\n\n",
                    "-",
                    "_",
                    "](",
                    ")",
                    "http://",
                    "<b ",
                    ">",
                    "é",
                    "\u0301",
                    "😀",
                    "ß",
                    "++",
                ]
            ),
            st.text(max_size=4),
        ),
        max_size=25,
    ).map("".join)
)
def test_offsets_slice_to_the_name(text: str) -> None:
    """Every piece reads as its name, hyphen and space aside, and pieces do not overlap."""
    end = 0
    for f in Lexicon.of(concepts(*NAMES)).find(text):
        assert "".join(key(text[f.start : f.end])) == "".join(key(f.alias))
        assert f.alias == NAMES[f.concept]
        assert end <= f.start < f.end <= len(text)
        end = f.end


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_words_stand_where_they_say(text: str) -> None:
    """Each word's offsets slice to the word."""
    assert all(fold(text[a:b]) == w and a < b for w, a, b in words(text))


def test_find_concept_by_any_spelling() -> None:
    """Label and alias, in any case and number, with or without the hyphen."""
    known = concepts("U-Net", ("Recurrent Neural Network", "RNN"), "Batch size")
    assert [find_concept(known, n).label for n in ("unet", "u-nets", "rnns", "Batch Sizes")] == [
        "U-Net", "U-Net", "Recurrent Neural Network", "Batch size",
    ]  # fmt: skip


def test_an_unknown_concept_names_the_closest() -> None:
    """A slip of the pen is answered with what was meant, best first; nonsense with nothing."""
    known = concepts("Dropout", "Batch size", "Learning rate", "Learning rate finder")
    with pytest.raises(
        UnknownConcept, match=r"the notes have no concept 'droput'; the closest are: Dropout$"
    ) as err:
        find_concept(known, "droput")
    assert err.value.closest == ("Dropout",)
    assert closest_labels(known, "learning rates finder")[:2] == (
        "Learning rate finder",
        "Learning rate",
    )
    with pytest.raises(UnknownConcept, match=r"^the notes have no concept 'zzzz'$"):
        find_concept(known, "zzzz")
    with pytest.raises(UnknownConcept, match="no concept ''"):
        find_concept(known, "")


@given(st.text(alphabet="aB-_ ß.1学习率のZé\u0301", max_size=40))
def test_the_set_of_terms_is_theirs(text: str) -> None:
    """Whatever a text is written in, only the offsets are missing."""
    assert term_set(text) == {term for term, _, _ in terms(text)}
