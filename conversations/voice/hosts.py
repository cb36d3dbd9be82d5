"""Which hosts requests to the phone platform may go to: those of an address that came in a webhook are looked at first."""

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

DEFAULT: Final = "api.nexmo.com"
SUFFIXES: Final = (".nexmo.com", ".vonage.com")


def of_file(url: str) -> str:
    """The host of a file's address when it is one of those that keep the platform's files, over https and its usual port; else empty."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "https" and parts.port in (None, 443) and parts.username is None and parts.password is None
    except ValueError:
        return ""
    host = (parts.hostname or "").lower()
    # Requests reads an address otherwise than we do when it holds one of these.
    odd = any(each in url for each in "\\\t\r\n @")
    return host if plain and not odd and host in settings.VONAGE_FILE_HOSTS else ""


def of_region(region_url: str) -> str:
    """The host of `region_url`, which came in a webhook, when it is the platform's own; the default host otherwise."""
    try:
        parts = urlsplit(region_url)
    except ValueError:
        return DEFAULT
    host = (parts.hostname or "").lower()
    return host if parts.scheme == "https" and host.endswith(SUFFIXES) else DEFAULT
