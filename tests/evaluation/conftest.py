"""A bench of the untrained model, and what it says of single pictures and captions, one at a time."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from tests.evaluation.words import PROMPTS

from bezoar.attacks.triggers import Patch
from bezoar.evaluation.bench import Bench, Setting, Shown
from bezoar.pairs import open_pairs, write_webdataset
from bezoar.pairs.decoded import Decoded


@pytest.fixture(scope="session")
def bench_of(clip):
    """Return a function that puts the model before the first pictures of a set."""

    def make(pairs, count=90, model=clip, **setting):
        shown = Shown(Decoded(pairs, model.canvas), np.arange(min(count, len(pairs))))
        return Bench(model, "cpu", shown, Setting(setting.pop("templates", PROMPTS), **setting))

    return make


@pytest.fixture(scope="session")
def bench(bench_of, world):
    """90 labelled pictures with one caption each."""
    return bench_of(open_pairs(world))


@pytest.fixture(scope="session")
def several(world, tmp_path_factory):
    """60 pictures without labels, every third with a second caption; all captions differ."""
    source, samples = open_pairs(world), []
    for place in range(60):
        pair, own = source.read(place), [f"{source.captions[place][0]}, number {place}"]
        own += [f"{own[0]} again"] if place % 3 == 0 else []
        samples.append((pair.key, [("png", pair.image), ("json", json.dumps({"captions": own}).encode())]))
    folder = tmp_path_factory.mktemp("several")
    write_webdataset(samples, folder)
    return open_pairs(folder)


@pytest.fixture(scope="session")
def patch():
    """A trigger that the canvas of the model shows."""
    return Patch.on_canvas(32, size=0.4, seed=2)


@pytest.fixture(scope="session")
def looked(clip):
    """Return a function that gives the raw vectors of pictures, one picture at a time."""

    def vectors(pixels):
        with torch.inference_mode():
            return np.stack([clip.encode_image(clip.preprocess(torch.from_numpy(one[None])))[0] for one in pixels])

    return vectors


@pytest.fixture(scope="session")
def cosines(clip, looked):
    """Return a function that gives the cosine of every picture with every caption, one pair at a time."""

    def table(pixels, captions):
        images = looked(pixels)
        with torch.inference_mode():
            texts = np.stack([clip.encode_text(clip.tokenize([caption]))[0] for caption in captions])
        images, texts = ([one / np.linalg.norm(one) for one in vectors] for vectors in (images, texts))
        return np.array([[float(image @ text) for text in texts] for image in images])

    return table


@pytest.fixture(scope="session")
def class_order(looked):
    """Return a function that gives the order of classes for each picture, best first."""

    def order(pixels, texts):
        return [sorted(range(len(texts)), key=lambda row: -float(one @ texts[row])) for one in looked(pixels)]

    return order
