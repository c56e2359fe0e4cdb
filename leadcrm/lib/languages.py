"""The languages of ISO 639-1, by code or name, in their own words or in ours. More names stand in ``tables/``."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from leadcrm.lib.places import read_table
from leadcrm.lib.text import Unreadable, clean, match_key, quoted

_NAMES = """
aa Afar|ab Abkhazian|ae Avestan|af Afrikaans|ak Akan|am Amharic|an Aragonese|ar Arabic|as Assamese|av Avaric|ay Aymara
az Azerbaijani|ba Bashkir|be Belarusian|bg Bulgarian|bi Bislama|bm Bambara|bn Bengali|bo Tibetan|br Breton|bs Bosnian
ca Catalan|ce Chechen|ch Chamorro|co Corsican|cr Cree|cs Czech|cu Church Slavic|cv Chuvash|cy Welsh|da Danish|de German
dv Maldivian|dz Dzongkha|ee Ewe|el Greek|en English|eo Esperanto|es Spanish|et Estonian|eu Basque|fa Persian|ff Fulah
fi Finnish|fj Fijian|fo Faroese|fr French|fy Western Frisian|ga Irish|gd Scottish Gaelic|gl Galician|gn Guarani
gu Gujarati|gv Manx|ha Hausa|he Hebrew|hi Hindi|ho Hiri Motu|hr Croatian|ht Haitian Creole|hu Hungarian|hy Armenian
hz Herero|ia Interlingua|id Indonesian|ie Interlingue|ig Igbo|ii Sichuan Yi|ik Inupiaq|io Ido|is Icelandic|it Italian
iu Inuktitut|ja Japanese|jv Javanese|ka Georgian|kg Kongo|ki Kikuyu|kj Kuanyama|kk Kazakh|kl Greenlandic|km Khmer
kn Kannada|ko Korean|kr Kanuri|ks Kashmiri|ku Kurdish|kv Komi|kw Cornish|ky Kyrgyz|la Latin|lb Luxembourgish|lg Ganda
li Limburgish|ln Lingala|lo Lao|lt Lithuanian|lu Luba-Katanga|lv Latvian|mg Malagasy|mh Marshallese|mi Maori
mk Macedonian|ml Malayalam|mn Mongolian|mr Marathi|ms Malay|mt Maltese|my Burmese|na Nauru|nb Norwegian Bokmål
nd North Ndebele|ne Nepali|ng Ndonga|nl Dutch|nn Norwegian Nynorsk|no Norwegian|nr South Ndebele|nv Navajo|ny Chichewa
oc Occitan|oj Ojibwa|om Oromo|or Odia|os Ossetian|pa Punjabi|pi Pali|pl Polish|ps Pashto|pt Portuguese|qu Quechua
rm Romansh|rn Rundi|ro Romanian|ru Russian|rw Kinyarwanda|sa Sanskrit|sc Sardinian|sd Sindhi|se Northern Sami|sg Sango
si Sinhala|sk Slovak|sl Slovenian|sm Samoan|sn Shona|so Somali|sq Albanian|sr Serbian|ss Swati|st Southern Sotho
su Sundanese|sv Swedish|sw Swahili|ta Tamil|te Telugu|tg Tajik|th Thai|ti Tigrinya|tk Turkmen|tl Tagalog|tn Tswana
to Tonga|tr Turkish|ts Tsonga|tt Tatar|tw Twi|ty Tahitian|ug Uighur|uk Ukrainian|ur Urdu|uz Uzbek|ve Venda
vi Vietnamese|vo Volapük|wa Walloon|wo Wolof|xh Xhosa|yi Yiddish|yo Yoruba|za Zhuang|zh Chinese|zu Zulu
"""

# English names by two-letter code, in the order of the names.
LANGUAGES: Final[Mapping[str, str]] = dict(
    sorted((entry.split(" ", 1) for entry in _NAMES.strip().replace("\n", "|").split("|")), key=lambda pair: pair[1])
)

# de-AT, de_AT.UTF-8, zh-Hans-CN: what follows the language does not count.
_TAG = re.compile(r"([a-z]{2,3})([-_][a-z0-9]{1,8})+(\.[a-z0-9-]+)?", re.IGNORECASE)
# "de-AT;q=0.9, en;q=0.8": of a browser's list the first is wanted most.
_LIST = re.compile(r"[,;].*")


def languages() -> Mapping[str, str]:
    """The English name of every language of ISO 639-1 by its code."""
    return LANGUAGES


def language_code(raw: str) -> str:
    """The ISO 639-1 code for ``deu``, ``de-AT``, ``German``, ``Deutsch`` or a browser's list; blank stays blank.

    Raises:
        Unreadable: when it is no language we know.
    """
    text = _LIST.sub("", clean(raw)).strip()
    if not text:
        return ""
    tag = _TAG.fullmatch(text)
    code = _keys().get((tag[1] if tag else match_key(text)).lower())
    if code is None:
        raise Unreadable(f"{quoted(raw)} is not a language. Use a name or an ISO 639-1 code such as de.")
    return code


@cache
def _keys() -> Mapping[str, str]:
    rows = list(read_table("languages"))
    names = {match_key(name): row["code"] for row in rows for name in (row["name"], *row["aliases"].split("|"))}
    codes = {code: row["code"] for row in rows for code in (*row["alpha_3"].split("|"), row["code"])}
    return names | codes
