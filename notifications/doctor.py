"""Checks of what leads are sent."""

from collections.abc import Iterator

from leadcrm.lib.doctor import Violation, check
from notifications.footer import UNADDRESSED, without_address


@check("postal-address")
def postal_address() -> Iterator[Violation]:
    """Every e-mail that sequences send to leads names a postal address."""
    for policy in without_address():
        yield Violation("postal-address", f"guard policy {policy}", UNADDRESSED)
