"""The contrastive loss, against a naive loop and against open_clip's own."""

import math
from dataclasses import replace

import open_clip
import pytest
import torch
import torch.nn.functional as functional

from bezoar.training.banks import Bank
from bezoar.training.losses import TERMS, Seen, clip_loss


def vectors(rows, seed):
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(rows, 8, generator=generator, dtype=torch.float64), dim=1)


def test_each_pairs_loss_equals_a_naive_loop():
    images, texts, scale = vectors(5, 0), vectors(5, 1), torch.tensor(7.0, dtype=torch.float64)
    for row, loss in enumerate(clip_loss(images, texts, scale)):
        to_text = torch.stack([scale * images[row] @ text for text in texts])
        to_image = torch.stack([scale * image @ texts[row] for image in images])
        naive = (to_text.logsumexp(0) - to_text[row] + to_image.logsumexp(0) - to_image[row]) / 2
        torch.testing.assert_close(loss, naive)


def test_the_mean_equals_open_clips_loss():
    images, texts, scale = vectors(16, 2), vectors(16, 3), torch.tensor(12.0, dtype=torch.float64)
    torch.testing.assert_close(clip_loss(images, texts, scale).mean(), open_clip.ClipLoss()(images, texts, scale))


def test_the_order_of_the_batch_does_not_matter():
    images, texts, scale = vectors(9, 4), vectors(9, 5), torch.tensor(3.0, dtype=torch.float64)
    order = torch.tensor([3, 1, 4, 0, 5, 8, 2, 6, 7])
    torch.testing.assert_close(clip_loss(images, texts, scale)[order], clip_loss(images[order], texts[order], scale))


def seen(rows=6, **given):
    looks = [vectors(rows, seed) for seed in range(10, 14)]
    scale = torch.tensor(5.0, dtype=torch.float64)
    return Seen(
        images=(looks[0], looks[1]), texts=(looks[2], looks[3]), scale=scale, owners=torch.arange(rows), **given
    )


def one_sided(queries, keys, scale):
    """Cross-entropy of each query over all keys, its own the answer, by a loop."""
    logits = [[float(scale * query @ key) for key in keys] for query in queries]
    return [math.log(sum(map(math.exp, row))) - row[place] for place, row in enumerate(logits)]


def test_across_views_compares_each_look_with_the_other_look_at_the_other_side():
    shown = seen()
    (first, second), (own, other) = shown.images, shown.texts
    there, back = one_sided(first, other, shown.scale), one_sided(own, second, shown.scale)
    assert TERMS["across-views"](shown).tolist() == pytest.approx(
        [(a + b) / 2 for a, b in zip(there, back, strict=True)]
    )


def test_within_a_modality_a_look_is_told_from_the_looks_at_others():
    shown = seen()
    image, text = one_sided(*shown.images, shown.scale), one_sided(*shown.texts, shown.scale)
    assert TERMS["within-modality"](shown).tolist() == pytest.approx(
        [(a + b) / 2 for a, b in zip(image, text, strict=True)]
    )


def test_pairs_of_an_equal_caption_are_no_rivals_where_that_is_asked_for():
    images, texts, scale = vectors(5, 0), vectors(5, 1), torch.tensor(7.0, dtype=torch.float64)
    texts[3] = texts[1]
    same = torch.zeros(5, 5, dtype=torch.bool)
    same[1, 3] = same[3, 1] = True
    masked = clip_loss(images, texts, scale, same)
    for row in (1, 3):
        rest = [place for place in range(5) if {place, row} != {1, 3}]
        naive = [
            (scale * torch.stack([a @ b[place] for place in rest])).logsumexp(0) - scale * a @ b[row]
            for a, b in ((images[row], texts), (texts[row], images))
        ]
        torch.testing.assert_close(masked[row], sum(naive) / 2)
    plain = clip_loss(images, texts, scale)
    torch.testing.assert_close(masked[[0, 2, 4]], plain[[0, 2, 4]])


def full_bank(seed):
    bank = Bank(4, 8)
    bank.push(vectors(4, seed).float(), torch.arange(100, 104))
    return bank


def test_a_pictures_second_look_is_drawn_to_the_past_vector_nearest_to_its_first():
    banks = {"image": full_bank(20), "text": full_bank(21)}
    shown = seen(rows=3, banks=banks)
    expected = []
    for modality, looks in (("image", shown.images), ("text", shown.texts)):
        past = banks[modality].vectors.double()
        keys = past[(looks[0] @ past.T).argmax(dim=1)]
        logits = shown.scale * looks[1] @ keys.T
        # An entry that two queries found is no rival of itself.
        same = (keys[:, None] == keys).all(dim=2) & ~torch.eye(3, dtype=torch.bool)
        expected.append(-torch.log_softmax(logits.masked_fill(same, -torch.inf), dim=1).diagonal())
    single = replace(
        shown, **{name: tuple(look.float() for look in getattr(shown, name)) for name in ("images", "texts")}
    )
    found = TERMS["nearest-neighbours"](single)
    torch.testing.assert_close(found.double(), sum(expected) / 2, rtol=1e-4, atol=1e-4)


def test_past_captions_teach_the_picture_and_not_the_text_tower():
    shown = seen(rows=3, banks={"text": full_bank(22)})
    images, texts = (look[0].float().requires_grad_() for look in (shown.images, shown.texts))
    TERMS["nearest-captions"](replace(shown, images=(images,), texts=(texts,))).sum().backward()
    assert images.grad is not None
    assert float(images.grad.abs().sum()) > 0
    assert texts.grad is None


def test_until_the_bank_is_full_pairs_learn_from_their_own_captions():
    shown = seen(banks={"text": Bank(64, 8)})
    torch.testing.assert_close(TERMS["nearest-captions"](shown), TERMS["clip"](shown))


def test_the_way_gone_counts_below_the_gate_of_the_batchs_mean_and_not_above():
    shown = seen()
    before = (vectors(6, 30), vectors(6, 31))
    ways = (shown.images[0] - before[0]).square().sum(dim=1)
    mean = float(ways.mean())
    below = TERMS["image-distance"](replace(shown, before=before, threshold=mean + 1e-6))
    above = TERMS["image-distance"](replace(shown, before=before, threshold=mean - 1e-6))
    torch.testing.assert_close(below, -ways)
    assert not above.any()


def test_the_push_stops_below_minus_the_margin():
    images = torch.eye(3, dtype=torch.float64)
    texts = torch.tensor([[1.0, 0, 0], [0, -1.0, 0], [0, 1.0, 0]], dtype=torch.float64)
    push = TERMS["push"](seen(beside=(images, texts), margin=0.1))
    assert push.tolist() == pytest.approx([1.1, 0.0, 0.1])
