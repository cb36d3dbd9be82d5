"""Who comes into the inbox: a decorator for its views."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone

from conversations.selectors import access
from routing.models import AgentProfile

ZONE_COOKIE = "cxhub_zone"


class InboxRequest(HttpRequest):
    """A request that came through the door: `agent` is None for a manager who takes no work."""

    agent: AgentProfile | None


class AgentRequest(InboxRequest):
    """A request of somebody who may act."""

    agent: AgentProfile


View = Callable[Concatenate[Any, ...], HttpResponseBase]


def for_staff(view: View) -> View:
    """Only active agents and managers; times in the reader's own zone.

    Whoever is not signed in is sent to sign in, anybody else is told that there is nothing here.
    """

    @wraps(view)
    def checked(request: InboxRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        request.agent = access.agent_of(request.user)
        if request.agent is None and not access.may_read_conversations(request.user):
            raise Http404
        with timezone.override(zone_of(request)):
            return view(request, *args, **kwargs)

    return checked


def for_agents(view: View) -> View:
    """Only active agents: those who may act. A manager without a profile is told that there is nothing here."""

    @wraps(view)
    def checked(request: InboxRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.agent is None:
            raise Http404
        return view(request, *args, **kwargs)

    return for_staff(checked)


def for_supervisors(view: View) -> View:
    """Only staff to whom supervising was permitted; agents and other staff are refused (403)."""

    @wraps(view)
    def checked(request: InboxRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not access.may_supervise(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return for_staff(checked)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """A page is redirected; a part of a page makes the browser load the sign-in page instead of showing it inside."""
    if not (getattr(request, "htmx", False) or request.headers.get("X-Requested-With")):
        return redirect_to_login(request.get_full_path())
    sign_in = f"{resolve_url(settings.LOGIN_URL)}?next={resolve_url('inbox:home')}"
    return HttpResponse(status=401, headers={"HX-Redirect": sign_in})


def zone_of(request: HttpRequest) -> ZoneInfo:
    """The zone the reader's browser named, or the site's."""
    try:
        return ZoneInfo(request.COOKIES.get(ZONE_COOKIE, ""))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(settings.TIME_ZONE)
