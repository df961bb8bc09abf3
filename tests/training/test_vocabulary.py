"""Cutting the vocabulary changes what is stored while training, never what the tower says."""

import torch

from bezoar.models import create
from bezoar.training.vocabulary import cut_vocabulary


def test_the_tower_says_the_same_with_the_cut_vocabulary():
    towers = create("tiny-resnet", seed=2)
    tokens = towers.tokenize(["a red ball", "a green key on a beach"])
    with torch.inference_mode():
        whole = towers.encode_text(tokens)
    with cut_vocabulary(towers.module, tokens) as cut, torch.inference_mode():
        assert towers.module.token_embedding.num_embeddings < 20
        torch.testing.assert_close(towers.encode_text(cut), whole, rtol=0, atol=0)


def test_what_is_learnt_comes_back_and_the_rest_stays():
    towers = create("tiny-resnet", seed=2)
    tokens = towers.tokenize(["a red ball"])
    before = towers.module.token_embedding.weight.detach().clone()
    with cut_vocabulary(towers.module, tokens), torch.no_grad():
        towers.module.token_embedding.weight.add_(1.0)
    after = towers.module.token_embedding.weight.detach()
    used = torch.unique(tokens)
    unused = torch.ones(len(after), dtype=torch.bool).index_fill(0, used, False)
    torch.testing.assert_close(after[used], before[used] + 1)
    assert torch.equal(after[unused], before[unused])
    assert after.shape == (49408, 64)


def test_the_full_vocabulary_comes_back_after_an_error():
    towers = create("tiny-resnet")
    try:
        with cut_vocabulary(towers.module, towers.tokenize(["a ball"])):
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert towers.module.token_embedding.num_embeddings == 49408
