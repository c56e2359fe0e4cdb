import pytest
from django.conf.locale import LANG_INFO
from hypothesis import given
from hypothesis import strategies as st

from leadcrm.lib.languages import language_code, languages
from leadcrm.lib.text import Unreadable


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("de", "de"), ("DE", "de"), ("de-AT", "de"), ("de_AT.UTF-8", "de"), ("German", "de"), ("deutsch", "de"),
        ("ger", "de"), ("deu", "de"), ("Français", "fr"), ("francais", "fr"), ("zh-Hans-CN", "zh"), ("中文", "zh"),
        ("en-US,en;q=0.9,de;q=0.8", "en"), ("Norwegian Bokmål", "nb"), ("iw", "he"), ("fil", "tl"), ("", ""),
    ],
)  # fmt: skip
def test_languages_are_known_by_code_and_name(raw, code):
    assert language_code(raw) == code


@pytest.mark.parametrize("raw", ["Klingon", "xx", "x", "zz-ZZ", "123", "<b>"])
def test_an_unknown_language_is_refused(raw):
    with pytest.raises(Unreadable, match="ISO 639-1"):
        language_code(raw)


def test_the_table_is_complete_and_each_language_known_by_its_own_name():
    assert len(languages()) == 183
    for code, name in languages().items():
        assert language_code(code) == language_code(name.upper()) == code
    for code, info in LANG_INFO.items():
        if len(code) == 2 and "name_local" in info and "(" not in info["name"]:
            assert language_code(code) == code
            assert language_code(info["name"]) == code


@given(st.text(max_size=20))
def test_any_text_is_a_language_or_a_clear_refusal(text):
    try:
        code = language_code(text)
    except Unreadable:
        return
    assert language_code(code) == code
