"""Embeddings on disk: a layout that others read and write, resumed by shard, honest about what is missing."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from bezoar.embeddings import aligned, embed_pairs, encode_caption_sets, encode_pictures, first, load_embeddings
from bezoar.pairs import open_pairs, write_webdataset
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError, Silent

BROKEN = 41


@pytest.fixture(scope="module")
def pairs(world, tmp_path_factory):
    """70 pairs in three shards; one has no readable picture, one has two captions."""
    source = open_pairs(world)
    samples = []
    for place in range(70):
        pair = source.read(place)
        members = [("png", pair.image), ("txt", pair.captions[0].encode())]
        if place == BROKEN:
            members[0] = ("png", b"broken")
        if place == 3:
            members[1] = ("json", json.dumps({"captions": ["a first", "a second"]}).encode())
        samples.append((pair.key, members))
    folder = tmp_path_factory.mktemp("set")
    write_webdataset(samples, folder, per_shard=30)
    return open_pairs(folder)


def embedded(pairs, clip, folder, looks=()):
    return embed_pairs(Decoded(pairs, clip.canvas), clip, folder, model="tiny", looks=looks, progress=Silent())


@pytest.fixture(scope="module")
def made(pairs, clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedded")
    embedded(pairs, clip, folder)
    return folder


def read(stored):
    """Both tables, read into memory."""
    return np.asarray(stored.image, np.float32), np.asarray(stored.text, np.float32)


def stamps(folder):
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*.*")}


def test_plain_numpy_and_pyarrow_read_the_layout_of_clip_retrieval(made, pairs, clip):
    for kind, suffix in (("img_emb", "npy"), ("text_emb", "npy"), ("metadata", "parquet")):
        names = sorted(path.name for path in (made / kind).iterdir())
        assert names == [f"{kind}_{number:04d}.{suffix}" for number in range(3)]
    image = np.concatenate([np.load(made / "img_emb" / f"img_emb_{number:04d}.npy") for number in range(3)])
    text = np.concatenate([np.load(made / "text_emb" / f"text_emb_{number:04d}.npy") for number in range(3)])
    assert image.dtype == text.dtype == np.float16
    table = pa.concat_tables(parquet.read_table(made / "metadata" / f"metadata_{n:04d}.parquet") for n in range(3))
    assert table["key"].to_pylist() == pairs.keys
    assert table["shard"].to_pylist() == pairs.shards
    assert table["row"].to_pylist() == pairs.rows.tolist()
    assert table["caption"].to_pylist()[3] == "a first / a second"
    good = [place for place in range(70) if place != BROKEN]
    pixels = np.stack([pairs.pixels(place, clip.canvas) for place in good])
    wanted = encode_pictures(clip, pixels)[0], encode_caption_sets(clip, [pairs.captions[place] for place in good])
    for stored, raw in zip((image, text), wanted, strict=True):
        np.testing.assert_allclose(stored[good], raw, rtol=2e-3, atol=2e-3)
        assert np.linalg.norm(raw, axis=1).std() > 0.001, "raw, not at length one"
    assert json.loads((made / "embeddings.json").read_text())["normalized"] is False


def test_a_pair_that_cannot_be_read_is_a_zero_vector_with_its_reason(made):
    stored = load_embeddings(made)
    assert [place for place, reason in enumerate(stored.reasons) if reason] == [BROKEN]
    assert stored.reasons[BROKEN] == "not a picture that can be read"
    image, text = read(stored)
    assert not image[BROKEN].any()
    assert not text[BROKEN].any()
    assert image[BROKEN - 1].any()


def test_vectors_stay_on_disk(made):
    stored = load_embeddings(made)
    assert all(isinstance(part, np.memmap) for table in (stored.image, stored.text) for part in table.parts)
    assert first(stored, 5).image.parts == stored.image.parts


def test_rows_that_cannot_be_used_are_found_in_whichever_chunk_they_lie(made, monkeypatch):
    import bezoar.embeddings.store as room

    reasons = load_embeddings(made).reasons
    monkeypatch.setattr(room, "_ROWS_AT_ONCE", 11)
    assert load_embeddings(made).reasons == reasons


def test_only_the_shard_whose_table_is_missing_is_embedded_again(pairs, clip, tmp_path):
    first = embedded(pairs, clip, tmp_path)
    image, before = np.array(first.image), stamps(tmp_path)
    (tmp_path / "metadata" / "metadata_0001.parquet").unlink()
    (tmp_path / "img_emb" / "img_emb_0001.npy").write_bytes(b"half")
    again = embedded(pairs, clip, tmp_path)
    changed = {name for name, stamp in stamps(tmp_path).items() if before[name] != stamp}
    kinds = {"img_emb": "npy", "text_emb": "npy", "metadata": "parquet"}
    assert changed == {"embeddings.json"} | {f"{kind}/{kind}_0001.{suffix}" for kind, suffix in kinds.items()}
    assert np.array_equal(image, again.image)
    assert first.keys == again.keys


def test_the_similarity_of_each_look_stands_beside_the_vectors(pairs, clip, tmp_path):
    looks = [lambda pictures: pictures.flip(-1), lambda pictures: pictures]
    stored = embedded(pairs, clip, tmp_path, looks)
    assert stored.view_similarity.shape == (70, 2)
    good = [place for place in range(70) if place != BROKEN]
    image, text = read(stored)
    lengths = np.linalg.norm(image, axis=1) * np.linalg.norm(text, axis=1)
    cosines = (image * text).sum(axis=1)[good] / lengths[good]
    np.testing.assert_allclose(stored.view_similarity[good, 1], cosines, atol=2e-3)
    assert np.abs(stored.view_similarity[good, 0] - cosines).max() > 1e-3
    assert not stored.view_similarity[BROKEN].any()


def test_a_shard_without_any_caption_is_as_wide_as_the_others(pairs, clip, tmp_path):
    samples = [(f"k{place}", [("png", pairs.read(place).image), ("txt", b"a ball")]) for place in range(4)]
    write_webdataset([*samples[:2], *((key, members[:1]) for key, members in samples[2:])], tmp_path / "set", 2)
    stored = embedded(open_pairs(tmp_path / "set"), clip, tmp_path / "vectors")
    assert stored.text.shape == stored.image.shape == (4, 128)
    assert stored.reasons == [None, None, "no caption", "no caption"]


def test_embeddings_of_other_pairs_are_not_mixed_in(pairs, clip, made):
    before = stamps(made)
    with pytest.raises(BezoarError, match="of other pairs"):
        embedded(pairs.select(range(60)), clip, made)
    assert stamps(made) == before


def test_a_foreign_folder_in_the_layout_is_read(tmp_path):
    # As clip-retrieval writes it: numbers without zeros, image_path instead of key, no embeddings.json.
    vectors = np.random.default_rng(0).normal(size=(25, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for kind in ("img_emb", "text_emb", "metadata"):
        (tmp_path / kind).mkdir()
    for number, rows in enumerate(np.array_split(np.arange(25), 12)):
        np.save(tmp_path / "img_emb" / f"img_emb_{number}.npy", vectors[rows].astype(np.float16))
        np.save(tmp_path / "text_emb" / f"text_emb_{number}.npy", -vectors[rows].astype(np.float16))
        table = {"image_path": [f"{row:05d}" for row in rows], "caption": [f"caption {row}" for row in rows]}
        parquet.write_table(pa.table(table), tmp_path / "metadata" / f"metadata_{number}.parquet")
    stored = load_embeddings(tmp_path)
    assert sorted(stored.keys) == [f"{row:05d}" for row in range(25)]
    for key, caption, image, text in zip(stored.keys, stored.captions, *read(stored), strict=True):
        assert caption == f"caption {int(key)}"
        np.testing.assert_allclose(image, vectors[int(key)], atol=1e-3)
        np.testing.assert_allclose(text, -image)
    assert stored.normalized
    assert stored.reasons == [None] * 25
    assert stored.view_similarity is None
    assert (stored.model, stored.canvas) == (None, None)


@pytest.mark.parametrize("kind", ["img_emb", "text_emb"])
def test_a_missing_file_and_a_file_of_another_length_get_a_sentence(made, tmp_path, kind):
    import shutil

    shutil.copytree(made, tmp_path / "copy")
    file = tmp_path / "copy" / kind / f"{kind}_0002.npy"
    np.save(file, np.load(file)[:-1])
    with pytest.raises(BezoarError, match="69"):
        load_embeddings(tmp_path / "copy")
    file.unlink()
    with pytest.raises(BezoarError, match="cannot be read"):
        load_embeddings(tmp_path / "copy")


def test_the_first_pairs_keep_all_that_is_known_of_them(pairs, clip, tmp_path):
    stored = embedded(pairs, clip, tmp_path, looks=[lambda pictures: pictures.flip(-1)])
    part = first(stored, 35)
    assert part.keys == pairs.keys[:35]
    for name in ("image", "text", "view_similarity"):
        np.testing.assert_array_equal(np.asarray(getattr(part, name)), getattr(stored, name)[:35])
    for name in ("captions", "shards", "rows", "reasons"):
        assert getattr(part, name) == getattr(stored, name)[:35]
    assert (part.model, part.canvas, part.normalized) == (stored.model, stored.canvas, stored.normalized)


def test_embeddings_stand_in_the_order_of_the_pairs_even_where_these_were_shuffled(tmp_path, pairs, clip):
    shuffled = pairs.select(np.random.default_rng(0).permutation(len(pairs)))
    stored = embedded(shuffled, clip, tmp_path)
    assert stored.keys == list(shuffled.keys)
    readable = [row for row, reason in enumerate(stored.reasons) if reason is None]
    again = encode_pictures(clip, Decoded(shuffled, clip.canvas).batch(readable))
    np.testing.assert_allclose(read(stored)[0][readable], again[0] if again.ndim == 3 else again, rtol=2e-3, atol=2e-3)


def test_of_two_stored_pairs_of_one_key_the_first_counts(tmp_path, pairs, clip):
    stored = embedded(pairs, clip, tmp_path)
    doubled = replace(stored, keys=[*stored.keys[:-1], stored.keys[0]], reasons=[*stored.reasons[:-1], "duplicate key"])
    kept = pairs.select(np.arange(len(pairs) - 1)[::-1])
    assert aligned(doubled, kept).reasons[-1] is None


def test_view_similarities_of_other_pairs_are_refused(made, tmp_path):
    shutil.copytree(made, tmp_path / "copy")
    (tmp_path / "copy" / "view_similarity").mkdir()
    for number, file in enumerate(sorted((made / "img_emb").iterdir())):
        rows = len(np.load(file)) + (number == 0)
        np.save(tmp_path / "copy" / "view_similarity" / f"view_similarity_{number:04d}.npy", np.zeros((rows, 3)))
    with pytest.raises(BezoarError, match="view similarities of 71 pairs and vectors of 70"):
        load_embeddings(tmp_path / "copy")
