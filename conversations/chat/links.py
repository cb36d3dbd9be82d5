"""The page behind a link that was texted to a caller: looking at it changes nothing, its one button opens the chat.

Programs that look at messages before people do follow links, so only the button uses one up.
"""

from __future__ import annotations

from urllib.parse import urljoin

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from conversations.chat import tickets, visitor
from conversations.flows import going_on_in_chat
from conversations.flows.going_on_in_chat import NotOpened
from conversations.models import EntryPoint

STATUSES = {"unknown": 404, "other_chat": 409}
GONE = 410


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def chat_link(request: HttpRequest, token: str) -> HttpResponse:
    """GET: a page with one button. POST: the link is used up, and the company's page opens with the chat open."""
    try:
        response = _opened(request, token) if request.method == "POST" else _shown(request, token)
    except NotOpened as problem:
        response = render(request, "chat/link_closed.html", {"why": problem.sentence}, status=STATUSES.get(problem.code, GONE))
    # The address is as good as a key, so no other site learns of it, nor any index. With no referrer at all, browsers would
    # press the button as if from an unknown site.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _shown(request: HttpRequest, token: str) -> HttpResponse:
    door = going_on_in_chat.look_at(token)
    with override(door.language):
        return render(request, "chat/link.html", {"door": door})


def _opened(request: HttpRequest, token: str) -> HttpResponse:
    browser = visitor.read(request.POST.get("visitor"))
    guest = visitor.new()
    session = guest.new_session()
    opened = going_on_in_chat.open_link(token, party=guest.party, session=session, browser=browser.id if browser else "")
    page, is_ours = _page_of(opened.door)
    address = f"{page}#cx-chat={tickets.issue(guest, session)}" if opened.is_new else page
    # A form may lead to no other site here (Content-Security-Policy), so there a link leads on.
    return HttpResponseRedirect(address) if is_ours else render(request, "chat/link_opened.html", {"door": opened.door, "address": address})


def _page_of(door: EntryPoint) -> tuple[str, bool]:
    """The page that shows the chat, and whether it is on this site: else it is on the first site that may show it."""
    try:
        resolve(door.address)
    except Resolver404:
        if door.allowed_origins:
            return urljoin(str(door.allowed_origins[0]), door.address), False
    return door.address, True
