"""Requests that the SDK addresses to the phone platform, sent elsewhere."""

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from conversations.voice.simulator import server


class StandInAdapter(HTTPAdapter):
    """Sends what the SDK addresses to the platform to a stand-in at `base` instead: the simulator, which this server runs, or another."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base.rstrip("/")

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Send `request` to the stand-in, saying for which of the platform's hosts it was meant."""
        asked_host = urlsplit(request.url or "").hostname or ""
        request.url = f"{self._base}{request.path_url}"
        request.headers.update({server.ASKED_HOST: str(asked_host)})
        if self._base.startswith(server.local_address()):
            request.headers.update(server.headers())
        return super().send(request, *arguments, **options)
