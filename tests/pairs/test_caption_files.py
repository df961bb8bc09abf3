"""New captions in the files of the old ones: only the captions are others, down to the spaces."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bezoar.pairs.caption_files import FIELDS, holds_list, with_captions, with_key, with_text

STYLES = (
    {},
    {"separators": (",", ":")},
    {"indent": 2},
    {"indent": 1, "separators": (",", ":")},
    {"ensure_ascii": False},
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
captions = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9), min_size=1, max_size=4)


@given(
    others=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), values, max_size=3),
    own=st.dictionaries(st.sampled_from(FIELDS), captions | st.text(max_size=5), min_size=1),
    new=captions,
    style=st.sampled_from(STYLES),
    end=st.sampled_from(["", "\n", "\r\n"]),
)
def test_json_is_what_its_writer_would_have_made_of_the_new_captions(others, own, new, style, end):
    fields = {name: value for name, value in others.items() if name not in FIELDS} | own
    before = json.dumps(fields, **style) + end
    wanted = fields | {name: new if isinstance(value, list) else new[0] for name, value in own.items()}
    try:
        raw = before.encode()
    except UnicodeEncodeError:  # half a surrogate pair, written as it is
        return
    after = with_captions(raw, new)
    assert json.loads(after) == json.loads(json.dumps(wanted))
    if before.isascii() == json.dumps(wanted, **style).isascii() or style.get("ensure_ascii", True):
        assert after.decode() == json.dumps(wanted, **style) + end


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{ "captions" : [ "a" , "b" ] , "n":1.50 }', b'{ "captions" : [ "x" , "y" ] , "n":1.50 }'),
        (b'{"caption":"a","text":"b"}', b'{"caption":"x","text":"x"}'),
        (b'{"id": 1}', b'{"id": 1, "caption": "x"}'),
        (b'{"id":1}\n', b'{"id":1,"caption":"x"}\n'),
        (b"{}", b'{"caption": "x"}'),
        (b"no json", b'{"caption": "x"}'),
        (b"[1]", b'{"caption": "x"}'),
        (b"\xff", b'{"caption": "x"}'),
    ],
)
def test_odd_files(before, after):
    assert with_captions(before, ["x", "y"]) == after


@pytest.mark.parametrize("before", [b"a dog", b"a dog\n", b" a dog \r\n", b"\ta\ndog\n\n", b"", b" \n"])
def test_a_text_keeps_the_white_space_around_it(before):
    after = with_text(before, b"two cats")
    assert after.strip() == b"two cats"
    assert after == (before.replace(before.strip(), b"two cats") if before.strip() else b"two cats")


@pytest.mark.parametrize(
    ("before", "holds"),
    [
        (b'{"captions": ["a"]}', True),
        (b'{"captions": ["a"], "caption": "a"}', True),
        (b'{"caption": "a", "captions": "b"}', False),
        (b'{"caption": ["a"]}', True),
        (b'{"caption": "a"}', False),
        (b"{}", False),
        (b"no json", False),
    ],
)
def test_whether_the_file_holds_several_captions(before, holds):
    assert holds_list(before) is holds


def test_a_key_is_exchanged_where_it_is_a_value_and_nowhere_else():
    before = b'{"key": "a/001","name": "001", "url": "x/a/001", "001": ["001"]}'
    assert with_key(before, "a/001", "a/009") == before.replace(b'"a/001"', b'"a/009"').replace(b'"001",', b'"009",')
    assert with_key(b"no json", "a", "b") == b"no json"
