"""The private key that requests about calls are signed with."""

from __future__ import annotations

import functools
from typing import cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings
from jwt.algorithms import RSAAlgorithm


def current() -> RSAPrivateKey:
    """The key of the setting VONAGE_PRIVATE_KEY. Raises jwt.InvalidKeyError when that is none."""
    return _read(settings.VONAGE_PRIVATE_KEY)


@functools.lru_cache(maxsize=2)
def _read(text: str) -> RSAPrivateKey:
    """Reading and checking a key takes 40 ms of a core, many times what the rest of a request does."""
    return cast("RSAPrivateKey", RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(text))
