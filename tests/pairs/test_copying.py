from __future__ import annotations

import io
import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bezoar.pairs import Addition, Pairs, copying, open_pairs, rewrite
from bezoar.pairs.copying import copy_kept
from bezoar.run import BezoarError

FORMATS = [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT]


def slices(path: Path) -> dict[str, bytes]:
    """Return headers, bytes and padding of every member, cut out of the file by tarfile's own offsets."""
    blob = path.read_bytes()
    with tarfile.open(path) as archive:
        return {
            f"{info.name}@{n}": blob[info.offset : info.offset_data + -(-info.size // 512) * 512]
            for n, info in enumerate(archive)
        }


def by_key(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, blob in slices(path).items():
        key = name.partition("@")[0].partition(".")[0]
        found[key] = found.get(key, b"") + blob
    return found


@pytest.fixture(scope="session")
def make(tar, picture):
    def make(folder: Path, count: int = 9, form: int = tarfile.GNU_FORMAT) -> Path:
        for shard in range(0, count, 3):
            members = [("README", b"stray")]
            for i in range(shard, min(shard + 3, count)):
                key = f"{'long/' * 25 if i % 2 and form != tarfile.USTAR_FORMAT else ''}k{i}"
                members += [
                    (f"{key}.png", picture(i)),
                    (f"{key}.meta", b"m" * i),
                    (f"{key}.txt", b"text %d" % i),
                ]
            tar(folder / f"{shard // 3}.tar", members, form)
        (folder / "classes.json").write_text("[]")
        return folder

    return make


@settings(max_examples=25, deadline=None)
@given(keep=st.lists(st.booleans(), min_size=9, max_size=9), form=st.sampled_from(FORMATS))
def test_kept_and_removed_members_are_the_bytes_of_the_source(tmp_path_factory, make, keep, form) -> None:
    folder = tmp_path_factory.mktemp("copy")
    source = make(folder / "source", form=form)
    pairs = open_pairs(source)
    result = copy_kept(pairs, np.array(keep), folder / "kept", folder / "removed")
    for shard in ("0.tar", "1.tar", "2.tar"):
        rows = [i for i in range(9) if pairs.shards[i] == shard]
        original = by_key(source / shard)
        for target, wanted, strays in (("kept", True, ["README"]), ("removed", False, [])):
            keys = [pairs.keys[i] for i in rows if keep[i] is wanted]
            path = folder / target / shard
            assert path.exists() == bool(keys)
            if keys:
                assert by_key(path) == {key: original[key] for key in [*strays, *keys]}
                assert path.read_bytes()[-1024:] == bytes(1024)
                assert open_pairs(path).keys == keys
        assert (shard in result.empty) == (not any(keep[i] for i in rows))
        if all(keep[i] for i in rows):
            assert (folder / "kept" / shard).read_bytes() == (source / shard).read_bytes()
    assert (folder / "kept" / "classes.json").read_text() == "[]"


def test_a_real_set_is_copied_to_the_byte(real_data, tmp_path) -> None:
    pairs = open_pairs(real_data / "flickr8k")
    copy_kept(pairs, np.ones(len(pairs), bool), tmp_path / "all")
    for path in (real_data / "flickr8k").glob("*.tar"):
        assert (tmp_path / "all" / path.name).read_bytes() == path.read_bytes()
    keep = np.arange(len(pairs)) % 7 > 0
    copy_kept(pairs, keep, tmp_path / "some")
    some = open_pairs(tmp_path / "some")
    assert some.keys == pairs.select(keep).keys
    assert [some.read(i) for i in range(0, len(some), 50)] == [
        pairs.select(keep).read(i) for i in range(0, len(some), 50)
    ]


def test_an_interrupted_copy_goes_on_where_it_stopped(tmp_path, make, monkeypatch) -> None:
    pairs = open_pairs(make(tmp_path / "source"))
    keep = np.arange(9) != 4
    copier = copying.COPIERS["tar"]

    def stop_at_1(source, target, *rest):
        if source.name == "1.tar":
            raise KeyboardInterrupt
        return copier(source, target, *rest)

    monkeypatch.setitem(copying.COPIERS, "tar", stop_at_1)
    with pytest.raises(KeyboardInterrupt):
        copy_kept(pairs, keep, tmp_path / "out")
    monkeypatch.undo()
    assert sorted(path.name for path in (tmp_path / "out").glob("*.tar")) == ["0.tar"]
    result = copy_kept(pairs, keep, tmp_path / "out")
    assert result.reused == ("0.tar",)
    assert result.written == ("1.tar", "2.tar")
    (tmp_path / "out" / "2.tar").write_bytes(b"damaged")
    assert copy_kept(pairs, keep, tmp_path / "out").written == ("2.tar",)
    assert copy_kept(pairs, np.arange(9) != 5, tmp_path / "out").reused == ("0.tar", "2.tar")
    assert open_pairs(tmp_path / "out").keys == pairs.select(np.arange(9) != 5).keys


def test_a_view_copies_only_its_pairs(tmp_path, make) -> None:
    pairs = open_pairs(make(tmp_path / "source")).select([7, 2, 3])
    copy_kept(pairs, np.array([True, True, False]), tmp_path / "kept", tmp_path / "removed")
    assert [key[-2:] for key in open_pairs(tmp_path / "kept").keys] == ["k2", "k7"]
    assert [key[-2:] for key in open_pairs(tmp_path / "removed").keys] == ["k3"]


def test_what_was_cut_off_goes_nowhere(tmp_path, make) -> None:
    source = make(tmp_path / "source", count=3)
    whole = (source / "0.tar").read_bytes()
    with tarfile.open(source / "0.tar") as archive:
        last = archive.getmembers()[-1]
    (source / "0.tar").write_bytes(whole[: last.offset_data + 3])
    pairs = open_pairs(source)
    copy_kept(pairs, np.ones(3, bool), tmp_path / "out")
    assert (tmp_path / "out" / "0.tar").read_bytes()[: last.offset] == whole[: last.offset]
    assert open_pairs(tmp_path / "out").faults == {}


def test_copying_is_refused_with_a_sentence(tmp_path, make, monkeypatch) -> None:
    pairs = open_pairs(make(tmp_path / "source"))
    keep = np.ones(9, bool)
    with pytest.raises(BezoarError, match="folder of the set itself"):
        copy_kept(pairs, keep, tmp_path / "source")
    with pytest.raises(BezoarError, match="two folders"):
        copy_kept(pairs, keep, tmp_path / "out", tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 90, 10))
        with pytest.raises(BezoarError, match="No room in") as caught:
            copy_kept(pairs, keep, tmp_path / "out" / "deep")
    assert caught.value.code == 3
    (tmp_path / "source" / "1.tar").write_bytes(b"other")
    with pytest.raises(BezoarError, match=r"1\.tar has changed"):
        copy_kept(pairs, keep, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", FORMATS)
def test_rewriting_changes_what_it_is_told_and_nothing_else(tmp_path, make, picture, form) -> None:
    source = make(tmp_path / "source", form=form)
    pairs = open_pairs(source)
    changes = {
        pairs.keys[1]: [("png", picture(99, size=(40, 30))), ("caption", b"a banana")],
        pairs.keys[5]: [("json", b'{"a": 1}')],
        pairs.keys[6]: [("caption", b"x" * 700)],
    }
    added = [Addition(f"new{i}", pairs.keys[i], [("png", picture(50 + i)), ("caption", b"added")]) for i in range(4)]
    rewrite(pairs, changes, tmp_path / "out", added, seed=3)
    after = open_pairs(tmp_path / "out")
    assert [key for key in after.keys if not key.startswith("new")] == pairs.keys
    assert after.captions[after.position(pairs.keys[1])] == ("a banana",)
    assert after.read(after.position(pairs.keys[1])).image == picture(99, size=(40, 30))
    assert after.captions[after.position(pairs.keys[6])] == ("x" * 700,)
    assert after.read(after.position("new2")).image == picture(52)
    before, now = {}, {}
    infos = []
    for shard in ("0.tar", "1.tar", "2.tar"):
        before |= by_key(source / shard)
        now |= by_key(tmp_path / "out" / shard)
        with tarfile.open(tmp_path / "out" / shard) as archive:
            infos += archive.getmembers()
    untouched = set(before) - set(changes)
    assert {key: now[key] for key in untouched} == {key: before[key] for key in untouched}
    assert {(info.mtime, info.uid, info.uname, info.mode) for info in infos} == {(7, 501, "ann", 0o600)}
    assert [info.name for info in infos if info.name.startswith(pairs.keys[5])][-1] == f"{pairs.keys[5]}.json"
    rewrite(pairs, changes, tmp_path / "again", added, seed=3)
    rewrite(pairs, changes, tmp_path / "other", added, seed=4)
    blobs = [[(tmp_path / out / f"{i}.tar").read_bytes() for i in range(3)] for out in ("out", "again", "other")]
    assert blobs[0] == blobs[1]
    # Only where the keys are not sorted does chance say where a new pair goes.
    assert (blobs[0] == blobs[2]) == (pairs.keys == sorted(pairs.keys))


def test_a_caption_in_json_is_changed_where_it_lies(tmp_path, tar, picture) -> None:
    fields = {"url": "http://x", "captions": ["one", "two"], "caption": "one", "é": 1}
    tar(tmp_path / "a" / "0.tar", [("k.png", picture(1)), ("k.json", json.dumps(fields).encode())])
    rewrite(open_pairs(tmp_path / "a"), {"k": [("caption", "né".encode())]}, tmp_path / "b")
    with tarfile.open(tmp_path / "b" / "0.tar") as archive:
        assert archive.getnames() == ["k.png", "k.json"]
        changed = json.load(archive.extractfile("k.json"))
    assert changed == fields | {"captions": ["né"], "caption": "né"}
    assert open_pairs(tmp_path / "b").captions == [("né",)]


def test_a_new_sample_may_not_take_a_key(tmp_path, make) -> None:
    pairs = open_pairs(make(tmp_path / "source"))
    with pytest.raises(ValueError, match="key twice"):
        rewrite(pairs, {}, tmp_path / "out", [Addition(pairs.keys[0], pairs.keys[1], [("txt", b"x")])])


TABLE = 'image,caption,more\r\na.png,"one, 1",x\r\nsub/b.png,two,y\r\na.png,uno,z\r\nc.png,"three\nlines",\r\n'


@pytest.fixture
def table(tmp_path, picture) -> Path:
    for i, name in enumerate(("a.png", "sub/b.png", "c.png")):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(picture(i))
    (tmp_path / "set" / "set.csv").write_bytes(TABLE.encode())
    return tmp_path / "set"


def test_a_table_keeps_its_lines_and_pictures(tmp_path, table) -> None:
    pairs = open_pairs(table)
    copy_kept(pairs, np.array([True, False, True]), tmp_path / "kept", tmp_path / "removed")
    lines = TABLE.split("\r\n")
    assert (tmp_path / "kept" / "set.csv").read_bytes().decode() == TABLE.replace(lines[2] + "\r\n", "")
    assert (tmp_path / "removed" / "set.csv").read_bytes().decode() == f"{lines[0]}\r\n{lines[2]}\r\n"
    assert sorted(p.name for p in (tmp_path / "kept").rglob("*.png")) == ["a.png", "c.png"]
    assert (tmp_path / "removed" / "sub" / "b.png").read_bytes() == (table / "sub" / "b.png").read_bytes()
    assert copy_kept(pairs, np.array([True, False, True]), tmp_path / "kept", tmp_path / "removed").reused


def test_a_table_is_rewritten(tmp_path, table, picture) -> None:
    pairs = open_pairs(table)
    changes = {"a": [("caption", b"a banana"), ("png", picture(9))]}
    rewrite(pairs, changes, tmp_path / "out", [Addition("new", "b", [("png", picture(8)), ("caption", b"n")])])
    after = open_pairs(tmp_path / "out")
    assert sorted(after.keys) == ["a", "b", "c", "new"]
    assert after.captions[after.position("a")] == ("a banana",)
    assert after.captions[after.position("c")] == ("three\nlines",)
    assert after.read(after.position("a")).image == picture(9)
    assert after.read(after.position("new")).image == picture(8)
    assert after.reasons == [None] * 4


def test_a_changed_text_keeps_its_white_space(tmp_path, tar, picture) -> None:
    tar(
        tmp_path / "a" / "0.tar",
        [("k.png", picture(1)), ("k.txt", b"a dog\r\n"), ("l.png", picture(2)), ("l.txt", b"x")],
    )
    rewrite(open_pairs(tmp_path / "a"), {key: [("caption", b"a cat")] for key in "kl"}, tmp_path / "b")
    with tarfile.open(tmp_path / "b" / "0.tar") as archive:
        assert archive.extractfile("k.txt").read() == b"a cat\r\n"
        assert archive.extractfile("l.txt").read() == b"a cat"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("where", ["b0", "a", "z"])
def test_a_new_sample_is_like_another_in_all_but_what_is_new(tmp_path, tar, picture, form, where) -> None:
    def sample(key: str, number: int) -> list[tuple[str, bytes]]:
        return [
            (f"{key}.meta.json", b"{}"),
            (f"{key}.PNG", picture(number)),
            (f"{key}.json", json.dumps({"key": key, "captions": ["one", "two"]}, indent=1).encode()),
            (f"{key}.cls", b"%d" % number),
        ]

    tar(tmp_path / "in" / "0.tar", [*sample("b", 1), *sample("c", 2), ("README", b"stray")], form)
    tar(tmp_path / "in" / "1.tar", [*sample("d", 3), *sample("e", 4)], form)
    new = [Addition(where, "d", [("png", picture(9)), ("caption", b"x\ny")])]
    rewrite(open_pairs(tmp_path / "in"), {}, tmp_path / "out", new)
    shard = "1.tar" if where == "z" else "0.tar"
    with tarfile.open(tmp_path / "out" / shard) as archive:
        members = archive.getmembers()
        assert [info.name for info in members if info.name.startswith(f"{where}.")] == [
            f"{where}{name[1:]}" for name, _ in sample("d", 3)
        ]
        assert archive.extractfile(f"{where}.PNG").read() == picture(9)
        text = archive.extractfile(f"{where}.json").read().decode()
        assert text == json.dumps({"key": where, "captions": ["x", "y"]}, indent=1)
        assert archive.extractfile(f"{where}.cls").read() == b"3"
    assert {(info.mtime, info.uid, info.uname, info.mode) for info in members} == {(7, 501, "ann", 0o600)}
    blob = (tmp_path / "out" / shard).read_bytes()
    assert len({blob[info.offset + 257 : info.offset + 265] for info in members}) == 1, "one format of headers"
    assert open_pairs(tmp_path / "out").keys == sorted(["b", "c", "d", "e", where])


def test_times_of_a_new_sample_lie_between_those_around_it(tmp_path, picture) -> None:
    (tmp_path / "in").mkdir()
    with tarfile.open(tmp_path / "in" / "0.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for number, key in enumerate("bdfh"):
            for suffix, data in (("png", picture(number)), ("txt", b"text")):
                info = tarfile.TarInfo(f"{key}.{suffix}")
                info.size, info.mtime = len(data), 1e9 + 10 * number + 0.125
                archive.addfile(info, io.BytesIO(data))
    rewrite(open_pairs(tmp_path / "in"), {}, tmp_path / "out", [Addition("e", "b", [("caption", b"new")])])
    with tarfile.open(tmp_path / "out" / "0.tar") as archive:
        times = [info.mtime for info in archive]
        assert [info.name for info in archive][4:6] == ["e.png", "e.txt"]
        assert all("mtime" in info.pax_headers for info in archive)
    assert times == sorted(times)
    assert times[3] < times[4] < times[6]


QUOTED = '"image","caption","url"\n"a.png","one","u1"\n"b.png","two, 2","u2"\n"a.png","uno","u1"\n'


def test_a_table_with_quotes_everywhere_keeps_them_and_new_rows_are_like_another(tmp_path, picture) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").write_bytes(picture(1))
    (tmp_path / "set" / "b.png").write_bytes(picture(2))
    (tmp_path / "set" / "set.csv").write_text(QUOTED)
    changes = {"a": [("caption", b"x\ny\nz")], "b": [("caption", b'a "cat"')]}
    new = [Addition("aa", "a", [("png", picture(3)), ("caption", b"n\nm")])]
    rewrite(open_pairs(tmp_path / "set"), changes, tmp_path / "out", new)
    assert (tmp_path / "out" / "set.csv").read_text().splitlines() == [
        '"image","caption","url"',
        '"a.png","x","u1"',
        '"aa.png","n","u1"',
        '"aa.png","m","u1"',
        '"b.png","a ""cat""","u2"',
        '"a.png","y","u1"',
        '"a.png","z","u1"',
    ]
    assert open_pairs(tmp_path / "out").captions == [("x", "y", "z"), ("n", "m"), ('a "cat"',)]


def test_quotes_that_were_needed_go_with_the_need(tmp_path, table) -> None:
    rewrite(open_pairs(table), {"a": [("caption", b"plain\nco,mma")]}, tmp_path / "out")
    lines = (tmp_path / "out" / "set.csv").read_bytes().decode().split("\r\n")
    assert (lines[1], lines[3]) == ("a.png,plain,x", 'a.png,"co,mma",z')


def test_what_cannot_be_copied_is_refused(tmp_path, make) -> None:
    pairs = open_pairs(make(tmp_path / "source"))
    pairs = Pairs.of(replace(pairs.index, source=replace(pairs.index.source, kind="folders")))
    with pytest.raises(BezoarError, match="no set of pairs that can be copied"):
        copy_kept(pairs, np.ones(len(pairs), bool), tmp_path / "out")
