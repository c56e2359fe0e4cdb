"""Which messages mean: write to me no more. The whole message counts, however it is spelt."""

import pytest

from notifications.stopwords import START_WORDS, STOP_WORDS, Wish, language_of, wish_of

EVERY_STOP = [word for words in STOP_WORDS.values() for word in words]


@pytest.mark.parametrize("word", EVERY_STOP)
def test_every_word_is_known_in_any_case_and_with_any_punctuation(word):
    for spelt in (
        word,
        word.lower(),
        word.title(),
        f" {word} ",
        f"{word}!",
        f'"{word}."',
        f"{word}\n",
        f"\u200b{word}",
    ):
        assert wish_of(spelt) == Wish.STOP


@pytest.mark.parametrize("text", ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"])
def test_the_words_that_carriers_ask_for_are_known(text):
    assert wish_of(text) == Wish.STOP


@pytest.mark.parametrize(
    "text",
    ["ARRET", "arrêt", "desabonner", "KUNDIGEN", "kündigen", "Aufhören", "no mas", "ＳＴＯＰ", "stop…", "¡Baja!"],
)
def test_accents_and_widths_play_no_part(text):
    assert wish_of(text) == Wish.STOP


@pytest.mark.parametrize(
    "text",
    [
        "Please stop by tomorrow",
        "Stop calling, but write to me",
        "the end",
        "I want to cancel my appointment",
        "STOP STOP",
        "stopped",
        "s t o p",
        "",
        "!",
        "stop " * 400,
        "Wann ist Ende?",
    ],
)
def test_a_word_inside_a_message_means_nothing(text):
    assert wish_of(text) == Wish.NONE


@pytest.mark.parametrize("text", [word for words in START_WORDS.values() for word in words] + ["start!", "Unstop"])
def test_start_undoes_it(text):
    assert wish_of(text) == Wish.START


def test_a_word_tells_its_language():
    assert [language_of(text) for text in ("STOP", "stopp", "baja", "arrêt", "sair", "hello")] == [
        "en",
        "de",
        "es",
        "fr",
        "pt",
        "en",
    ]
