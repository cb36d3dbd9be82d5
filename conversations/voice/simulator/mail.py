"""Email that goes nowhere: kept for an hour, to be read on a page. Used with the simulator when no mail server is named."""

import json
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from redis import Redis

from conversations.voice.simulator.exchange import KEPT_SECONDS, PREFIX

KEY: Final = f"{PREFIX}:mail"
MOST_SHOWN: Final = 50
ADDRESS: Final = re.compile(r"(https?://[^\s<>\"]+[^\s<>\".,;:!?)])")


class MailBackend(BaseEmailBackend):
    """Django's way of sending mail, with a page as its only reader."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep the messages; returns how many."""
        kept = [json.dumps({"to": each.to, "subject": each.subject, "text": str(each.body), "at": time.time()}) for each in email_messages]
        with Redis.from_url(settings.VALKEY_URL) as valkey:
            for each in kept:
                valkey.rpush(KEY, each)
            valkey.expire(KEY, KEPT_SECONDS)
        return len(kept)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The mails of the last hour, newest first. The page asks for itself again and again, so new ones appear."""
    with Redis.from_url(settings.VALKEY_URL, decode_responses=True) as valkey:
        stored: Any = valkey.lrange(KEY, -MOST_SHOWN, -1)
    return render(request, "simulator/mail.html", {"mails": [_shown(json.loads(each)) for each in reversed(stored)]})


def _shown(mail: dict[str, Any]) -> dict[str, Any]:
    """A mail with its text cut into plain pieces and web addresses, which come second, fourth and so on."""
    return mail | {"at": datetime.fromtimestamp(mail["at"], UTC), "pieces": ADDRESS.split(mail["text"])}
