"""Cutting the vocabulary changes what is stored while training, never what the tower says."""

import pytest
import torch

from bezoar.models import create
from bezoar.training.vocabulary import cut_vocabulary


def test_the_tower_says_the_same_with_the_cut_vocabulary():
    towers = create("tiny-resnet", seed=2)
    tokens = towers.tokenize(["a red ball", "a green key on a beach"])
    with torch.inference_mode():
        whole = towers.encode_text(tokens)
    with cut_vocabulary(towers.module, tokens) as vocabulary, torch.inference_mode():
        assert towers.module.token_embedding.num_embeddings < 20
        torch.testing.assert_close(towers.encode_text(vocabulary.renumber(tokens)), whole, rtol=0, atol=0)


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


def test_a_token_that_was_not_foreseen_is_refused_and_not_taken_for_another():
    towers = create("tiny-vit")
    tokens = towers.tokenize(["a red ball"])
    with cut_vocabulary(towers.module, tokens) as vocabulary, pytest.raises(KeyError):
        vocabulary.renumber(towers.tokenize(["a blue ball"]))


def test_the_whole_vocabulary_is_there_in_between_and_learning_goes_on_after():
    towers = create("tiny-vit", seed=1)
    tokens = towers.tokenize(["a red ball"])
    with cut_vocabulary(towers.module, tokens) as vocabulary:
        small = towers.module.token_embedding
        with torch.no_grad():
            small.weight.add_(1.0)
            inside = towers.encode_text(vocabulary.renumber(tokens))
        with vocabulary.whole(), torch.no_grad():
            torch.testing.assert_close(towers.encode_text(tokens), inside, rtol=0, atol=0)
        assert towers.module.token_embedding is small
