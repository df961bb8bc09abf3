"""Fixtures that several rooms share: small sets, real data, a tiny model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bezoar.pairs import Pairs, open_pairs


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Indexes of a test run stay in a folder of its own."""
    before = os.environ.get("BEZOAR_CACHE")
    os.environ["BEZOAR_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["BEZOAR_CACHE"]
    else:
        os.environ["BEZOAR_CACHE"] = before


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; skips without BEZOAR_DATA, fails where that names nothing."""
    folder = os.environ.get("BEZOAR_DATA")
    if not folder:
        pytest.skip("set BEZOAR_DATA to the folder of real data")
    assert (Path(folder) / "cifar10").is_dir(), f"BEZOAR_DATA={folder} holds no cifar10"
    return Path(folder)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """A folder of 400 generated pairs."""
    from bezoar.pairs.synthetic import synthesize

    folder = tmp_path_factory.mktemp("world")
    synthesize(folder, 400, seed=3, side=40, per_shard=150)
    return folder


@pytest.fixture
def world_pairs(world) -> Pairs:
    """The generated pairs, opened."""
    return open_pairs(world)


@pytest.fixture(scope="session")
def clip(world):
    """An untrained model that tells pictures apart: its batch norms have seen some. On a canvas of 32 px."""
    import torch

    from bezoar.models import create
    from bezoar.pairs.decoded import Decoded

    towers = create("tiny-resnet", side=32, seed=1)
    pixels = torch.from_numpy(Decoded(open_pairs(world), towers.canvas).batch(range(64)))
    towers.module.train()
    with torch.no_grad():
        for _ in range(30):
            towers.encode_image(towers.preprocess(pixels))
    towers.module.eval()
    return towers


@pytest.fixture(scope="session")
def story(tmp_path_factory) -> Path:
    """The folder of a short demo: 1,000 pairs, 40 planted, four models of two epochs. It shows that the jobs fit
    together; what they find is measured by the full demo."""
    from bezoar.demo import demo

    folder = tmp_path_factory.mktemp("story")
    demo(to=folder, seed=5, pairs=1000, planted=40, epochs=2, controls=True)
    return folder
