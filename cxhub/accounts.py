"""Who may sign in: staff, whose accounts a manager makes in the admin."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from conversations.chat.limits import client_address


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Nobody signs up alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def address_signed_in_from(request: HttpRequest) -> str:
    """The network address of an attempt to sign in, for counting the failed ones."""
    return client_address(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""))


def name_signed_in_with(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str:
    """The user name or email address of an attempt to sign in, for counting the failed ones."""
    given = dict(credentials or {})
    for field in ("username", "email", "login"):
        if given.get(field):
            return str(given[field]).lower()
    return str(request.POST.get("login") or request.POST.get("username") or "").lower() if request else ""
