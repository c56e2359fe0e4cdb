"""The way out in every e-mail to a lead: a signed link, in the language of the message, by which e-mail ends.

The link needs no row and does not expire: whoever kept an old message can leave by it. By RFC 8058 mail programs press
it for their users.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from django.conf import settings
from django.core.signing import BadSignature, Signer

from notifications.replies import in_language


class Leaving(NamedTuple):
    """What the link and its page say. ``ask`` and ``done`` name the address."""

    label: str
    ask: str
    done: str


WORDS: Final[Mapping[str, Leaving]] = {
    "en": Leaving("Unsubscribe", "Do you want no more e-mail from us to {}?", "You get no more e-mail from us to {}."),
    "de": Leaving(
        "Abmelden",
        "Möchten Sie von uns keine E-Mails mehr an {} bekommen?",
        "Sie bekommen von uns keine E-Mails mehr an {}.",
    ),
    "es": Leaving(
        "Darse de baja", "¿Quiere dejar de recibir nuestros correos en {}?", "Ya no recibirá nuestros correos en {}."
    ),
    "fr": Leaving(
        "Se désabonner",
        "Souhaitez-vous ne plus recevoir nos e-mails à l'adresse {}\u00a0?",
        "Vous ne recevrez plus nos e-mails à l'adresse {}.",
    ),
    "pt": Leaving(
        "Cancelar a subscrição",
        "Quer deixar de receber os nossos e-mails em {}?",
        "Já não receberá os nossos e-mails em {}.",
    ),
}


class Way(NamedTuple):
    """What a link stands for."""

    address: str
    language: str

    @property
    def words(self) -> Leaving:
        return in_language(WORDS, self.language)


def _signer() -> Signer:
    """Made when it is needed: without a SECRET_KEY the system check must be what speaks."""
    return Signer(salt="notifications.leaving")


def url_of(address: str, language: str) -> str:
    """The address at which e-mail to ``address`` is ended."""
    return f"{settings.SITE_URL}/leave/{_signer().sign_object([address, language])}/"


def read_token(token: str) -> Way | None:
    """What a link stands for; None when it is not one of ours, or not whole."""
    try:
        address, language = _signer().unsign_object(token)
    except (BadSignature, ValueError, TypeError):
        return None
    return Way(str(address), str(language))
