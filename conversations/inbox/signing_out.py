"""Signing out closes the screens of that sign-in, wherever they are open, and the agent is offline. Connected when the app is ready."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest

from conversations.services import announce
from routing.models import AgentProfile, Presence
from routing.services import presence


def connect() -> None:
    """Listens to Django's signal, which comes before the session is forgotten."""
    user_logged_out.connect(_close_screens, dispatch_uid="conversations.close_screens")
    user_logged_out.connect(_go_offline, dispatch_uid="conversations.go_offline")


def mark_of(session_key: str | None) -> str:
    """What names a sign-in to screens without giving its key away."""
    return hashlib.sha256(f"screen:{session_key}".encode()).hexdigest()


def _close_screens(sender: Any, request: HttpRequest | None, **kwargs: Any) -> None:
    session_key = getattr(getattr(request, "session", None), "session_key", None)
    if session_key:
        announce.send_after_commit(announce.AGENTS_GROUP, {"type": "signed.out", "mark": mark_of(session_key)})


def _go_offline(sender: Any, user: Any, **kwargs: Any) -> None:
    """Nothing is offered to somebody who has said that they are leaving; what they have stays theirs."""
    gone = AgentProfile.objects.filter(user=user, presence__state__in=(Presence.State.AVAILABLE, Presence.State.AWAY)).first()
    if gone is not None:
        presence.set_state(gone, Presence.State.OFFLINE)
