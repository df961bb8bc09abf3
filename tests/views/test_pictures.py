"""Training's looks: keyed by numbers for each picture, whatever the batch; each as its paper has it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from bezoar.run import random
from bezoar.views import PICTURE_VIEWS, draws, photometric
from bezoar.views.pictures import CROP, MEAN_COLOUR, blur_taps, boxes, resized_crops

by_name = pytest.mark.parametrize("view", PICTURE_VIEWS.values(), ids=list(PICTURE_VIEWS))


def pictures(count=12, side=32, name="pictures"):
    return torch.from_numpy(random(0, name).integers(0, 256, (count, 3, side, side), dtype=np.uint8))


def numbers_for(view, count, epoch=0, name="here"):
    return draws(view, np.arange(count), seed=0, epoch=epoch, name=name)


def shifted(picture, down, right):
    """Every pixel comes from (down, right) of its place; beyond the border the border repeats."""
    side = picture.shape[-1]
    rows = np.clip(np.arange(side) + down, 0, side - 1)
    columns = np.clip(np.arange(side) + right, 0, side - 1)
    return picture[..., rows, :][..., columns]


def where(before, after, reach):
    """The one move within reach that turns `before` into `after`, or None."""
    steps = range(-reach, reach + 1)
    found = [(down, right) for down in steps for right in steps if torch.equal(shifted(before, down, right), after)]
    return found[0] if found else None


# -- what holds for every view ---------------------------------------------------------------------------------------


@by_name
@pytest.mark.parametrize(("count", "side"), [(1, 32), (5, 40), (1, 40), (2, 224), (0, 32)])
def test_shape_type_and_input_stay(view, count, side):
    pixels = pictures(count, side)
    before = pixels.clone()
    changed = view(pixels, numbers_for(view, count))
    assert changed.shape == pixels.shape
    assert changed.dtype == torch.uint8
    assert torch.equal(pixels, before)


@by_name
def test_the_same_numbers_give_the_same_pictures_and_others_others(view):
    pixels = pictures()
    first, again = (view(pixels, numbers_for(view, 12)) for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(first, view(pixels, numbers_for(view, 12, epoch=1))) == (view.name == "none")


@by_name
@pytest.mark.parametrize("side", [32, 40, 224])
def test_a_part_of_a_batch_in_another_order_looks_the_same(view, side):
    pixels, part = pictures(9, side), np.array([7, 2, 4])
    numbers = numbers_for(view, 9)
    whole = view(pixels, numbers)
    assert torch.equal(view(pixels[part], numbers[part]), whole[part])
    for row in range(9):
        assert torch.equal(view(pixels[row : row + 1], numbers[row : row + 1])[0], whole[row])


@by_name
def test_each_picture_gets_its_own_look(view):
    pixels = pictures(1).expand(64, -1, -1, -1)
    different = len({picture.numpy().tobytes() for picture in view(pixels, numbers_for(view, 64))})
    assert different == 1 if view.name == "none" else different >= 20


@by_name
def test_torchs_own_chance_stays_as_it_was(view):
    before = torch.get_rng_state()
    view(pictures(3), numbers_for(view, 3))
    assert torch.equal(torch.get_rng_state(), before)


@by_name
def test_the_extreme_numbers_work(view):
    for number in (0.0, 1 - 2**-24):
        changed = view(pictures(2, 40), np.full((2, view.numbers), number, np.float32))
        assert changed.shape == (2, 3, 40, 40)


def test_draws_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="'shift' takes draws of shape \\(3, 2\\)"):
        PICTURE_VIEWS["shift"](pictures(3), np.zeros((2, 2), np.float32))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@by_name
def test_a_gpu_gives_the_same_look(view):
    pixels, numbers = pictures(8, 40), numbers_for(view, 8)
    here, there = view(pixels, numbers), view(pixels.cuda(), numbers).cpu()
    close = (here.int() - there.int()).abs() <= 1
    # Where AutoAugment rounds another way, its equalisation may spread a level.
    assert close.float().mean() > 0.99


# -- draws -----------------------------------------------------------------------------------------------------------


@by_name
def test_draws_depend_on_the_pair_alone(view):
    positions = np.array([5, 0, 2**40, 3, 77])
    whole = draws(view, positions, seed=3, epoch=2, name="a")
    assert whole.shape == (5, view.numbers)
    assert whole.dtype == np.float32
    part = draws(view, positions[[4, 1]], seed=3, epoch=2, name="a")
    assert np.array_equal(part, whole[[4, 1]])


@pytest.mark.parametrize("other", [{"seed": 4}, {"epoch": 3}, {"name": "b"}, {"name": 1}])
def test_draws_depend_on_seed_epoch_and_name(other):
    view, positions = PICTURE_VIEWS["strong"], np.arange(50)
    key = {"seed": 3, "epoch": 2, "name": "a"}
    assert not np.isin(draws(view, positions, **key), draws(view, positions, **(key | other))).any()


def test_draws_are_uniform_and_unrelated():
    numbers = draws(PICTURE_VIEWS["strong"], np.arange(20_000), seed=0, epoch=0, name=0).astype(float)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    # The mean of 20,000 uniform numbers has a deviation of 0.002, a correlation one of 0.007.
    assert np.abs(numbers.mean(0) - 0.5).max() < 0.01
    assert np.abs(numbers.var(0) - 1 / 12).max() < 0.005
    between_columns = np.corrcoef(numbers.T) - np.eye(numbers.shape[1])
    assert np.abs(between_columns).max() < 0.04
    after_another = [np.corrcoef(column[:-1], column[1:])[0, 1] for column in numbers.T]
    assert np.abs(after_another).max() < 0.04


# -- moves -----------------------------------------------------------------------------------------------------------


def test_none_changes_nothing():
    assert torch.equal(PICTURE_VIEWS["none"](pictures(), np.zeros((12, 0), np.float32)), pictures())


@pytest.mark.parametrize("side", [8, 32, 48])
def test_a_shift_moves_each_picture_by_whole_pixels_up_to_a_sixteenth(side):
    view, pixels, reach = PICTURE_VIEWS["shift"], pictures(200, side), max(1, side // 16)
    changed = view(pixels, numbers_for(view, 200))
    moves = {where(before, after, reach) for before, after in zip(pixels, changed, strict=True)}
    assert None not in moves, "not a shift with repeated borders, or beyond its reach"
    for axis in (0, 1):
        assert {move[axis] for move in moves} == set(range(-reach, reach + 1))


def test_about_half_of_the_pictures_are_mirrored_before_they_are_shifted():
    view, pixels = PICTURE_VIEWS["mirror-shift"], pictures(200, 32)
    mirrored, moves = 0, set()
    for before, after in zip(pixels, view(pixels, numbers_for(view, 200)), strict=True):
        plain, turned = where(before, after, 2), where(before.flip(-1), after, 2)
        assert (plain is None) != (turned is None)
        mirrored += plain is None
        moves.add(plain or turned)
    # 200 throws of a coin: 60 is more than five deviations away from 100.
    assert 60 < mirrored < 140
    assert len(moves) == 25


# -- crops -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [(0.08, 1.0), (0.5, 1.0), (0.9, 1.0)])
def test_boxes_are_distributed_as_in_torchvision(scale):
    count, side = 3000, 64
    ours = boxes(random(0, "boxes").random((count, CROP), np.float32), side, scale)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        single = v2.RandomResizedCrop(side, scale=scale)
        drawn = [single.make_params([torch.empty(3, side, side)]) for _ in range(count)]
    theirs = np.array([[box[key] for key in ("top", "left", "height", "width")] for box in drawn])
    assert (ours[:, :2] >= 0).all()
    assert (ours[:, :2] + ours[:, 2:] <= side).all()
    for known in (0.1, 0.25, 0.5, 0.75, 0.9):
        ours_at, theirs_at = (np.quantile(crops, known, axis=0) for crops in (ours, theirs))
        assert np.abs(ours_at - theirs_at).max() <= 2.5


def test_where_no_try_fits_the_whole_picture_is_seen():
    numbers = np.full((2, CROP), 1 - 2**-24, np.float32)
    assert boxes(numbers, 32, (0.9, 1.0)).tolist() == [[0, 0, 32, 32]] * 2


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_crop_equals_torchvisions(mirrored):
    batch = pictures(40, 40).float() / 255
    crops = boxes(random(1, "boxes").random((40, CROP), np.float32), 40, (0.08, 1.0))
    ours = resized_crops(batch, crops, np.full(40, mirrored))
    for picture, box, crop in zip(batch, crops, ours, strict=True):
        expected = functional.resized_crop(picture, *map(int, box), [40, 40], antialias=False)
        assert torch.allclose(crop, functional.horizontal_flip(expected) if mirrored else expected, atol=1e-4)


# -- strong and moderate ---------------------------------------------------------------------------------------------


def one_by_one(picture, numbers, scale):
    """Training's strong look at one picture, by torchvision."""
    side = picture.shape[-1]
    seen, rest = numbers[:CROP], numbers[CROP:].astype(float)
    top, left, height, width = map(int, boxes(seen[None], side, scale)[0])
    picture = functional.resized_crop(picture, top, left, height, width, [side, side], antialias=False)
    if rest[0] < 0.5:
        picture = functional.horizontal_flip(picture)
    if rest[1] < 0.8:
        changes = (
            lambda picture: functional.adjust_brightness(picture, 0.5 + rest[2]),
            lambda picture: functional.adjust_contrast(picture, 0.5 + rest[3]),
            lambda picture: functional.adjust_saturation(picture, 0.5 + rest[4]),
            lambda picture: functional.adjust_hue(picture, -0.1 + 0.2 * rest[5]),
        )
        for kind in photometric.ORDERS[int(24 * rest[6])]:
            picture = changes[kind](picture)
    if rest[7] < 0.2:
        picture = functional.rgb_to_grayscale(picture, 3)
    sigma = (0.1 + 1.9 * rest[8]) * side / 224
    return functional.gaussian_blur(picture, [blur_taps(side)] * 2, [sigma] * 2)


@pytest.mark.parametrize(("name", "scale"), [("strong", (0.08, 1.0)), ("moderate", (0.5, 1.0))])
@pytest.mark.parametrize(("count", "side"), [(40, 40), (4, 224)])
def test_the_strong_look_equals_torchvisions_picture_by_picture(name, scale, count, side):
    view = PICTURE_VIEWS[name]
    pixels, numbers = pictures(count, side), numbers_for(view, count)
    for picture, row, ours in zip(pixels, numbers, view(pixels, numbers), strict=True):
        expected = (one_by_one(picture.float() / 255, row, scale) * 255).round()
        assert (ours.float() - expected).abs().max() <= 1


def test_half_of_the_strong_looks_are_mirrored_and_a_fifth_is_gray():
    view, count = PICTURE_VIEWS["strong"], 600
    numbers = numbers_for(view, count)
    # Light grows from left to right in one colour; a mirrored picture falls.
    ramp = torch.linspace(40, 90, 32).round().to(torch.uint8).expand(1, 3, 32, 32).clone()
    ramp[:, 0] *= 2
    changed = view(ramp.expand(count, -1, -1, -1), numbers).float()
    falls = changed[..., :4].mean((1, 2, 3)) > changed[..., -4:].mean((1, 2, 3))
    grays = (changed.amax(1) == changed.amin(1)).all(-1).all(-1)
    assert 240 < falls.sum() < 360
    assert 75 < grays.sum() < 165


def test_the_blur_is_as_wide_as_in_the_paper_at_224_pixels():
    assert blur_taps(224) == 21
    sizes = [blur_taps(side) for side in range(8, 400)]
    assert min(sizes) == 3
    assert all(size % 2 == 1 for size in sizes)
    assert sizes == sorted(sizes)


# -- the others ------------------------------------------------------------------------------------------------------


def test_autoaugment_is_torchvisions_keyed_by_the_pictures_number():
    pixels, view = pictures(30), PICTURE_VIEWS["autoaugment"]
    numbers = numbers_for(view, 30)
    single = v2.AutoAugment(v2.AutoAugmentPolicy.IMAGENET)
    changed = view(pixels, numbers)
    for picture, number, ours in zip(pixels, numbers[:, 0], changed, strict=True):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(number * 2**24))
            assert torch.equal(ours, single(picture))


def test_noise_has_a_fifth_of_the_range_on_about_half_of_the_pictures():
    view = PICTURE_VIEWS["noise-erase"]
    numbers = numbers_for(view, 400)
    numbers[:, 2] = 1 - 2**-24  # nothing is erased
    gray = torch.full((400, 3, 32, 32), 128, dtype=torch.uint8)
    noise = (view(gray, numbers).double() - 128) / 255
    noisy = noise.flatten(1).abs().sum(1) > 0
    assert 140 < noisy.sum() < 260
    inside = noise[noisy][noise[noisy].abs() < 0.4]  # two deviations: cut at black and white beyond 2.5
    assert inside.std() == pytest.approx(0.2 * 0.8796, rel=0.01)  # of a normal cut at two deviations
    assert noise[noisy].mean().abs() < 0.003


@pytest.mark.parametrize("side", [32, 40, 224])
def test_one_square_of_a_hundredth_at_most_becomes_the_mean_colour_of_about_half(side):
    view, count = PICTURE_VIEWS["noise-erase"], 200 if side < 224 else 20
    numbers = numbers_for(view, count)
    numbers[:, 0] = 1 - 2**-24  # no noise
    white = torch.full((count, 3, side, side), 255, dtype=torch.uint8)
    changed = view(white, numbers)
    erased = (changed != 255).any(1)
    assert count * 0.3 < erased.flatten(1).any(1).sum() < count * 0.7
    for picture, place in zip(changed, erased, strict=True):
        if place.any():
            rows, columns = place.any(1).nonzero(), place.any(0).nonzero()
            length = len(rows)
            assert len(columns) == length
            assert place.sum() == length**2
            assert np.sqrt(0.005) * side - 0.51 <= length <= np.sqrt(0.01) * side + 0.51
            assert picture[:, place].unique(dim=1).squeeze(1).tolist() == list(MEAN_COLOUR)
