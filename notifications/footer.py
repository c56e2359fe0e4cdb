"""What stands below every e-mail to a lead: the way out, and the postal address of whoever writes.

Many laws ask for both in commercial e-mail, such as CAN-SPAM (16 CFR 316) and the e-commerce laws of Europe.
"""

from typing import Final, NamedTuple

from notifications import guard
from notifications.channels import CHANNELS, EMAIL
from notifications.leaving import WORDS, url_of
from notifications.models import GuardPolicy, Sequence
from notifications.replies import in_language
from pipeline.models import Lead

UNADDRESSED: Final = (
    "Leads get e-mail without your postal address, which many laws ask for. "
    "Enter it in the guard policy for everywhere else."
)


class Footer(NamedTuple):
    """``leave_url``: the way out; ``label``: what it is called; ``address``: the postal address, in lines."""

    leave_url: str
    label: str
    address: str

    @property
    def lines(self) -> list[str]:
        return self.address.splitlines()

    @property
    def text(self) -> str:
        return "\n\n".join(filter(None, (f"{self.label}: {self.leave_url}", self.address)))


def build_footer(lead: Lead | None, leave_url: str, language: str) -> Footer:
    """The footer of an e-mail to a lead; without one, to leads of no country."""
    policy = guard.policy_of(lead) if lead else _everywhere()
    return Footer(leave_url, in_language(WORDS, language).label, policy.postal_address or _everywhere().postal_address)


def footer_of(lead: Lead, address: str, language: str) -> Footer:
    """The footer of an e-mail to this lead, at an e-mail address."""
    return build_footer(lead, url_of(address, language), language)


def _everywhere() -> GuardPolicy:
    return GuardPolicy.objects.filter(country="").first() or GuardPolicy()


def without_address() -> list[GuardPolicy]:
    """The policies by which leads are written e-mail that names no postal address; none while nobody is written to."""
    used = Sequence.objects.filter(active=True, steps__isnull=False).exists()
    everywhere = _everywhere()
    if not used or everywhere.postal_address or CHANNELS[EMAIL].unavailable():
        return []
    policies = [everywhere, *GuardPolicy.objects.exclude(country="").order_by("country")]
    return [policy for policy in policies if EMAIL in policy.channels and not policy.postal_address]
