"""Ids on the command line are typed keys."""

from __future__ import annotations

import pytest

from mlops_core.commands.ids import keys_of_words
from mlops_core.errors import BadInput


def test_whole_numbers_are_integers_and_quoted_words_texts() -> None:
    assert keys_of_words(["1", '"1"', "a", "1,2"], ["customer"]) == [1, "1", "a", "1,2"]


def test_parts_of_a_composite_key_are_separated_by_commas() -> None:
    assert keys_of_words(["7,web", '"7",web'], ["shop", "channel"]) == [(7, "web"), ("7", "web")]


@pytest.mark.parametrize("word", ["7", "7,web,1"])
def test_another_number_of_parts_is_refused(word: str) -> None:
    with pytest.raises(BadInput, match=r"the entity's key has 2 \(shop, channel\)"):
        keys_of_words([word], ["shop", "channel"])


@pytest.mark.parametrize("word", ["", ",web"])
def test_an_empty_id_is_refused(word: str) -> None:
    with pytest.raises(BadInput, match="empty"):
        keys_of_words([word], ["shop", "channel"] if "," in word else ["shop"])
