"""What a lead agreed to, as a source sends it: made safe, every fault named."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from leadcrm.lib.text import clean, clean_lines
from pipeline.intake import LONGEST_ATTRIBUTE, LONGEST_MESSAGE, ConsentInput, Fault, FieldError, at_most
from pipeline.models import Consent

MOST_CONSENTS: Final = 20
LONGEST_IP: Final = 45


def read_consents(consents: Sequence[ConsentInput]) -> tuple[list[ConsentInput], list[FieldError]]:
    """Consents with their texts made safe, and the faults of those that cannot be kept."""
    if len(consents) > MOST_CONSENTS:
        return [], [FieldError("consents", "too_long", f"At most {MOST_CONSENTS} consents.")]
    errors = [
        FieldError(f"consents.{index}.{name}", code, detail)
        for index, consent in enumerate(consents)
        for name, code, detail in _consent_faults(consent)
    ]
    return [] if errors else [_clean_consent(consent) for consent in consents], errors


def _consent_faults(consent: ConsentInput) -> Iterable[tuple[str, str, str]]:
    if consent.channel not in Consent.Channel.values:
        yield "channel", "invalid", f"Send one of: {', '.join(Consent.Channel.values)}."
    for name, longest in (("wording", LONGEST_MESSAGE), ("origin", LONGEST_ATTRIBUTE)):
        try:
            at_most(getattr(consent, name), longest)
        except Fault as fault:
            yield name, fault.code, str(fault)
    if consent.ip and not _is_ip(consent.ip):
        yield "ip", "invalid", "Send an IPv4 or IPv6 address, such as 203.0.113.7."


def _is_ip(text: str) -> bool:
    """Without the name of an interface (``fe80::1%eth0``), which no database takes."""
    try:
        return not getattr(ip_address(text), "scope_id", None)
    except ValueError:
        return False


def _clean_consent(consent: ConsentInput) -> ConsentInput:
    return replace(consent, wording=clean_lines(consent.wording), origin=clean(consent.origin))
