"""The one keyed hash: what is only to be recognised again is kept as it, so that it cannot be read."""

import hmac
from hashlib import sha256

from django.conf import settings


def keyed_hash(*parts: str, key: str = "") -> str:
    """HMAC-SHA-256 of the parts, joined by colons, under a key, by default the site's SECRET_KEY.

    The first part says what it is for, so that one value hashed for two purposes gives two hashes.
    """
    return hmac.new((key or settings.SECRET_KEY).encode(), ":".join(parts).encode(), sha256).hexdigest()
