"""What callers hear while they wait: one place that says which sound it is."""

from typing import Final
from urllib.parse import urljoin

from django.conf import settings
from django.templatetags.static import static

from conversations.models import EntryPoint

USUAL: Final = "voice/waiting.wav"


def address(entry_point: EntryPoint) -> str:
    """The web address of the sound, which the platform fetches."""
    return urljoin(settings.PUBLIC_URL, static(USUAL))
