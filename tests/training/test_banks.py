"""Banks, against lists and loops: what is in them, in which order it leaves, and which entry is nearest."""

import pytest
import torch
import torch.nn.functional as functional

from bezoar.run import BezoarError
from bezoar.training.banks import Bank

WIDTH = 6


def vectors(rows, seed):
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(rows, WIDTH, generator=generator), dim=1)


def filled(bank, pushes=(5, 1, 8, 3, 20, 2, 7), seed=0):
    """Push batches of these sizes; returns all that was pushed, (vector, owner), oldest first."""
    history, first = [], 0
    for turn, rows in enumerate(pushes):
        batch, owners = vectors(rows, seed + turn), torch.arange(first, first + rows) % 23
        bank.push(batch, owners)
        history += list(zip(batch, owners.tolist(), strict=True))
        first += rows
    return history


def entries(bank):
    return sorted((owner, vector.tolist()) for vector, owner in zip(bank.vectors, bank.owners.tolist(), strict=True))


@pytest.mark.parametrize("size", [1, 4, 16, 30, 46, 100])
def test_the_last_entries_stay_and_the_oldest_leave(size):
    bank, history, first = Bank(size, WIDTH), [], 0
    assert len(bank) == 0
    for turn, rows in enumerate((5, 1, 8, 3, 20, 2, 7)):
        batch, owners = vectors(rows, turn), torch.arange(first, first + rows)
        bank.push(batch, owners)
        history += [(owner, vector.tolist()) for vector, owner in zip(batch, owners.tolist(), strict=True)]
        first += rows
        assert entries(bank) == sorted(history[-size:])
        assert len(bank) == min(size, first)
        assert bank.full is (first >= size)


@pytest.mark.parametrize("size", [16, 100])
def test_the_nearest_of_another_pair_equals_a_naive_loop(size):
    bank = Bank(size, WIDTH)
    kept = filled(bank)[-size:]
    queries, owners = vectors(40, 99), torch.arange(40) % 23
    found, rows = bank.nearest(queries, owners)
    for query, owner, answer, row in zip(queries, owners.tolist(), found, rows, strict=True):
        others = [vector for vector, other in kept if other != owner]
        best = max(others, key=lambda vector: float(query @ vector))
        assert torch.equal(answer, best)
        assert torch.equal(bank.vectors[row], best)
        assert bank.owners[row] != owner


def test_an_entry_of_ones_own_pair_is_never_returned():
    bank, batch = Bank(32, WIDTH), vectors(16, 0)
    bank.push(batch, torch.arange(16))
    bank.push(batch, torch.arange(16))
    _, rows = bank.nearest(batch, torch.arange(16))
    assert (bank.owners[rows] != torch.arange(16)).all()
    # The same vector of another pair is welcome.
    found, _ = bank.nearest(batch, torch.arange(16) + 100)
    assert torch.equal(found, batch)


@pytest.mark.parametrize("pushed", [0, 3])
def test_a_bank_without_another_pair_is_refused(pushed):
    bank = Bank(8, WIDTH)
    bank.push(vectors(pushed, 0), torch.full((pushed,), 7))
    with pytest.raises(BezoarError, match="no other pair"):
        bank.nearest(vectors(2, 1), torch.tensor([7, 7]))


def test_no_gradient_flows_through_and_no_later_change_comes_in():
    bank, source = Bank(8, WIDTH), vectors(4, 0).requires_grad_()
    bank.push(source * 1.0, torch.arange(4))
    before = entries(bank)
    with torch.no_grad():
        source.zero_()
    assert entries(bank) == before
    queries = vectors(3, 1).requires_grad_()
    found, _ = bank.nearest(queries, torch.arange(3))
    assert not found.requires_grad
    keys = found.clone()
    bank.push(vectors(8, 2), torch.arange(8))
    assert torch.equal(found, keys)


@pytest.mark.parametrize("size", [16, 100])
def test_a_restored_bank_goes_on_as_the_first(size, tmp_path):
    first, second = Bank(size, WIDTH), Bank(size, WIDTH)
    filled(first)
    torch.save(first.state(), tmp_path / "bank.pt")
    filled(second, pushes=(9,), seed=50)
    second.restore(torch.load(tmp_path / "bank.pt", weights_only=True))
    for bank in (first, second):
        bank.push(vectors(5, 60), torch.arange(5))
    assert torch.equal(first.vectors, second.vectors)
    assert torch.equal(first.owners, second.owners)
    assert len(first) == len(second)


def test_a_state_does_not_change_with_its_bank():
    bank = Bank(8, WIDTH)
    bank.push(vectors(8, 0), torch.arange(8))
    state = bank.state()
    before = {name: tensor.clone() for name, tensor in state.items()}
    bank.push(vectors(3, 1), torch.arange(3))
    assert all(torch.equal(state[name], before[name]) for name in before)


@pytest.mark.parametrize("other", [Bank(9, WIDTH), Bank(7, WIDTH), Bank(8, WIDTH + 1)])
def test_a_state_of_another_size_or_width_is_refused(other):
    with pytest.raises(BezoarError, match="not of 8"):
        Bank(8, WIDTH).restore(other.state())


def test_half_precision_is_stored_and_compared_in_single():
    bank = Bank(8, WIDTH)
    bank.push(vectors(8, 0).bfloat16(), torch.arange(8))
    found, _ = bank.nearest(vectors(2, 1).bfloat16(), torch.tensor([100, 101]))
    assert found.dtype == torch.float32


def test_a_bank_for_nothing_is_refused():
    with pytest.raises(BezoarError, match="holds nothing"):
        Bank(0, WIDTH)
