"""Keeps uploaded files between the page that shows the plan and the one that carries it out, for a day at most."""

import io
import uuid
import zipfile
from datetime import timedelta
from typing import Final

from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from distribution.onboarding.files import Files, read_uploads

_FOLDER: Final = "onboard"
_SALT: Final = "distribution.onboard"
KEPT_FOR: Final = timedelta(days=1)


class Gone(Exception):
    """The files are not there any more, or are somebody else's."""

    def __init__(self) -> None:
        super().__init__("These files are not kept any more. Upload them again.")


def keep(files: Files, user_id: int | None) -> str:
    """Store files for this user; returns the ticket with which only they get them back."""
    _remove_old()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    path = default_storage.save(f"{_FOLDER}/{uuid.uuid4()}.zip", ContentFile(packed.getvalue()))
    return signing.dumps([path, user_id], salt=_SALT)


def fetch(ticket: str, user_id: int | None) -> Files:
    """The files of a ticket.

    Raises:
        Gone: the ticket is not this user's, is too old, or its files were used already.
    """
    path = _path(ticket, user_id)
    try:
        with default_storage.open(path) as stream:
            return read_uploads([("kept.zip", stream.read())])
    except FileNotFoundError:
        raise Gone from None


def forget(ticket: str, user_id: int | None) -> None:
    """Remove the files of a ticket; safe to repeat."""
    default_storage.delete(_path(ticket, user_id))


def _path(ticket: str, user_id: int | None) -> str:
    try:
        path, owner = signing.loads(ticket, salt=_SALT, max_age=KEPT_FOR)
    except (signing.BadSignature, ValueError):
        raise Gone from None
    if owner != user_id:
        raise Gone
    return str(path)


def _remove_old() -> None:
    if not default_storage.exists(_FOLDER):
        return
    for name in default_storage.listdir(_FOLDER)[1]:
        path = f"{_FOLDER}/{name}"
        if timezone.now() - default_storage.get_modified_time(path) > KEPT_FOR:
            default_storage.delete(path)
