"""A classifier beside a model: what is saved is what is read, and a broken one gets a sentence."""

import json

import numpy as np
import pytest
import torch

from bezoar.models import create, save
from bezoar.models.head import CLASSES_FILE, HEAD_FILE, Head, head_state, load_head, save_head
from bezoar.run import BezoarError


@pytest.fixture
def head():
    draw = torch.Generator().manual_seed(0)
    return Head(torch.randn(3, 5, generator=draw), torch.randn(3, generator=draw), ("moon", "star", "tree"))


def test_what_is_saved_is_what_is_read(head, tmp_path):
    save_head(tmp_path, head)
    again = load_head(tmp_path)
    assert torch.equal(again.weight, head.weight)
    assert torch.equal(again.bias, head.bias)
    assert again.classes == head.classes


def test_it_predicts_the_class_of_the_largest_logit(head):
    vectors = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32) * 9
    weight, bias = head.weight.numpy(), head.bias.numpy()
    naive = [max(range(3), key=lambda c: float(weight[c] @ one + bias[c])) for one in vectors]
    assert head.predict(vectors).tolist() == naive
    assert len(set(naive)) == 3


def test_a_model_without_a_head_has_none(tmp_path):
    assert load_head(tmp_path) is None
    assert load_head("hf-hub:any/model") is None
    assert head_state(tmp_path) == {}


def test_the_head_of_a_scan_lies_beside_the_model_that_it_trained(head, tmp_path):
    save(create("tiny-resnet", side=32), tmp_path / "model")
    save_head(tmp_path / "model", head)
    assert load_head(tmp_path).classes == head.classes
    before = head_state(tmp_path)
    save_head(tmp_path / "model", Head(head.weight, head.bias, ("moon", "star", "house")))
    assert head_state(tmp_path) != before


@pytest.mark.parametrize("text", ["{", "{}", '{"classes": ["moon"]}', '{"classes": 3}'])
def test_classes_that_do_not_fit_get_a_sentence(head, tmp_path, text):
    save_head(tmp_path, head)
    (tmp_path / CLASSES_FILE).write_text(text)
    with pytest.raises(BezoarError, match="do not make a classifier"):
        load_head(tmp_path)


def test_weights_that_were_cut_off_get_a_sentence(head, tmp_path):
    save_head(tmp_path, head)
    (tmp_path / HEAD_FILE).write_bytes((tmp_path / HEAD_FILE).read_bytes()[:40])
    with pytest.raises(BezoarError, match="cannot be read as weights"):
        load_head(tmp_path)


def test_vectors_of_another_model_get_a_sentence(head):
    with pytest.raises(BezoarError, match="reads 5 numbers, and the model gives 4"):
        head.predict(np.zeros((2, 4), np.float32))


def test_a_head_whose_parts_disagree_is_refused():
    with pytest.raises(ValueError, match="2 classes"):
        Head(torch.zeros(3, 5), torch.zeros(3), ("moon", "star"))


def test_classes_are_plain_json(head, tmp_path):
    save_head(tmp_path, head)
    assert json.loads((tmp_path / CLASSES_FILE).read_text()) == {"classes": ["moon", "star", "tree"]}
