"""Where synonyms come from, in which order, and what a broken file is told."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from bezoar.run import BezoarError
from bezoar.views import open_synonyms
from bezoar.views.synonyms import Synonyms

FILE = (
    "dog\tdomestic dog,Canis familiaris,dog\nrun\trunning,run,go-around\nmouse\trodent\ncity\tmetropolis\nbox\tcase\n"
)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    """No variable names synonyms, and NLTK is not there."""
    monkeypatch.delenv("BEZOAR_SYNONYMS", raising=False)
    monkeypatch.delenv("BEZOAR_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "nltk", None)
    monkeypatch.setitem(sys.modules, "nltk.corpus", None)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "wordnet").mkdir()
    (tmp_path / "wordnet" / "synonyms.txt").write_text(FILE)
    (tmp_path / "wordnet" / "irregular.txt").write_text("mice\tmouse\nran\trun\nunknown\tnowhere\n")
    return tmp_path / "wordnet"


def with_nltk(monkeypatch, corpus):
    monkeypatch.setitem(sys.modules, "nltk", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "nltk.corpus", SimpleNamespace(wordnet=corpus))


def test_synonyms_are_letters_sorted_and_never_the_word(folder):
    synonyms = open_synonyms(folder)
    assert synonyms.of("dog") == ("canis familiaris", "domestic dog")
    assert synonyms.of("run") == ("go around", "running")
    assert synonyms.of("zebra") == ()


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ("dogs", ("canis familiaris", "dog", "domestic dog")),
        ("mice", ("mouse", "rodent")),
        ("ran", ("go around", "run", "running")),
        ("cities", ("city", "metropolis")),
        ("boxes", ("box", "case")),
        ("boxing", ("box", "case")),
        ("boxed", ("box", "case")),
        ("unknown", ()),
        ("es", ()),
    ],
)
def test_an_inflected_form_has_its_base_and_its_synonyms(folder, form, found):
    assert open_synonyms(folder).of(form) == found


def test_a_file_alone_will_do(folder):
    (folder / "irregular.txt").unlink()
    synonyms = open_synonyms(folder / "synonyms.txt")
    assert synonyms.of("mouse") == ("rodent",)
    assert synonyms.of("mice") == ()
    assert "5 words" in synonyms.found


def test_a_word_on_two_lines_has_the_synonyms_of_both_and_line_ends_do_not_matter(folder):
    (folder / "synonyms.txt").write_bytes("\ufeffDog\thound\r\n\r\ndog\tpooch\r\n".encode())
    assert open_synonyms(folder).of("dog") == ("hound", "pooch")


@pytest.mark.parametrize("broken", [b"dog", b"dog\t", b"\thound", b"dog\t, ,", b"dog hound"])
@pytest.mark.parametrize("file", ["synonyms.txt", "irregular.txt"])
def test_a_broken_line_is_named(folder, file, broken):
    (folder / file).write_bytes(b"cat\tfeline\n\n" + broken + b"\n")
    with pytest.raises(BezoarError, match=f"Line 3 of .*{file} is not a word, a tab") as error:
        open_synonyms(folder)
    assert error.value.code == 3


def test_a_line_that_is_not_text_is_named(folder):
    (folder / "synonyms.txt").write_bytes(b"cat\tfeline\ndog\t\xff\xfe\n")
    with pytest.raises(BezoarError, match=r"Line 2 of .*synonyms\.txt is not UTF-8"):
        open_synonyms(folder)


def test_a_source_that_was_named_is_never_replaced(folder, monkeypatch):
    monkeypatch.setenv("BEZOAR_DATA", str(folder.parent))
    with pytest.raises(BezoarError, match=r"no synonyms at .*missing"):
        open_synonyms(folder / "missing")
    monkeypatch.setenv("BEZOAR_SYNONYMS", str(folder / "elsewhere"))
    with pytest.raises(BezoarError, match=r"no synonyms at .*elsewhere"):
        open_synonyms()


def test_the_first_place_that_has_them_is_taken(folder, tmp_path, monkeypatch):
    assert open_synonyms().found.startswith("no synonyms")
    assert open_synonyms().of("dog") == ()
    monkeypatch.setenv("BEZOAR_DATA", str(tmp_path / "empty"))
    assert open_synonyms().found.startswith("no synonyms")
    monkeypatch.setenv("BEZOAR_DATA", str(tmp_path))
    assert str(folder) in open_synonyms().found
    own = tmp_path / "own.txt"
    own.write_text("dog\thound\n")
    monkeypatch.setenv("BEZOAR_SYNONYMS", str(own))
    assert open_synonyms().of("dog") == ("hound",)
    assert open_synonyms(folder).of("dog") == ("canis familiaris", "domestic dog")


def test_nltks_wordnet_is_asked_where_it_is_installed(monkeypatch):
    senses = {"dog": [["dog", "domestic_dog"], ["Hot-dog", "frank"]]}

    def synsets(word):
        return [
            SimpleNamespace(lemmas=lambda names=names: [SimpleNamespace(name=lambda name=name: name) for name in names])
            for names in senses.get(word, [])
        ]

    with_nltk(monkeypatch, SimpleNamespace(synsets=synsets, ensure_loaded=lambda: None))
    synonyms = open_synonyms()
    assert "NLTK" in synonyms.found
    assert synonyms.of("dog") == ("domestic dog", "frank", "hot dog")
    assert synonyms.of("zebra") == ()


def test_nltk_without_its_corpus_is_as_good_as_none(monkeypatch):
    def absent():
        raise LookupError

    with_nltk(monkeypatch, SimpleNamespace(ensure_loaded=absent))
    assert open_synonyms().found.startswith("no synonyms")


def test_the_real_list_knows_common_words(real_data):
    if not (real_data / "wordnet").is_dir():
        pytest.skip("no word list there")
    synonyms: Synonyms = open_synonyms(real_data / "wordnet")
    assert "photograph" in synonyms.of("photo")
    assert set(synonyms.of("photos")) == {"photo", *synonyms.of("photo")}
    assert "rodent" not in synonyms.of("dog")
