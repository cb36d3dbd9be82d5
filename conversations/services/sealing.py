"""Secrets at rest: encrypted with a key made from SECRET_KEY, so that a copy of the database alone gives none away."""

from __future__ import annotations

import base64
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


class CannotBeOpened(ValueError):
    """The text was sealed with another SECRET_KEY, or was altered."""


def seal(text: str) -> str:
    """The text, encrypted and authenticated (Fernet), as text."""
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text that was sealed, also under one of SECRET_KEY_FALLBACKS. Raises CannotBeOpened."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotBeOpened("This was sealed with another SECRET_KEY.") from error


def _box() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(sha256(b"sealing:" + force_bytes(each)).digest())) for each in secrets])
