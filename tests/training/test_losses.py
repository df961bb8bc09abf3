"""The contrastive loss, against a naive loop and against open_clip's own."""

import open_clip
import torch
import torch.nn.functional as functional

from bezoar.training.losses import clip_loss


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
