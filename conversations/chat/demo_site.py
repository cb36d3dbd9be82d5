"""The demo company's web site in the part of a host site: it has customers of its own, and signs for them.

This is what any site does on its own server (docs/recipes/sign-visitors-in.md), with one difference: whoever comes may be any
of its made-up customers. It works only with the key of the demo, so never with the key of a real site.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import jwt
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from conversations.models import EntryPoint, HostSiteKey
from conversations.selectors import host_sites, website
from conversations.services.host_sites import verification_key
from conversations.services.sealing import CannotBeOpened

ADDRESS: Final = "/harborhome"
KEY_ID: Final = "harborhome-demo"
COOKIE: Final = "harborhome_customer"
TOKEN_LIFETIME: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class SiteCustomer:
    """A customer of the demo company's site, as it knows them."""

    id: str
    name: str
    email: str
    phone: str


CUSTOMERS: Final = (
    SiteCustomer("1001", "Jane Whitfield", "jane.whitfield@example.com", "+447700900301"),
    SiteCustomer("1002", "Tom Adeyemi", "tom.adeyemi@example.com", "+447700900302"),
    SiteCustomer("1003", "Lucía Navarro", "lucia.navarro@example.com", "+447700900303"),
)


def customer_of(request: HttpRequest) -> SiteCustomer | None:
    """Who is signed in on the site with this browser."""
    known = request.get_signed_cookie(COOKIE, default="", salt=COOKIE)
    return next((each for each in CUSTOMERS if each.id == known), None)


def account(request: HttpRequest, door: EntryPoint) -> dict[str, object]:
    """What the site's pages show of signing in; nothing without the demo's key."""
    key = host_sites.accepted_key(door.pk, KEY_ID)
    if key is None:
        return {}
    customer = customer_of(request)
    return {"site_customers": CUSTOMERS, "signed_in": customer, "identity": _token_of(customer, door, key) or ""}


@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Signs the browser in as one of the site's customers. An unknown one is nobody."""
    answer = redirect(ADDRESS)
    known = next((each for each in CUSTOMERS if each.id == request.POST.get("customer")), None)
    if known:
        secure = settings.SESSION_COOKIE_SECURE
        answer.set_signed_cookie(COOKIE, known.id, salt=COOKIE, httponly=True, samesite="Lax", secure=secure)
    return answer


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Signs the browser out of the site."""
    answer = redirect(ADDRESS)
    answer.delete_cookie(COOKIE, samesite="Lax")
    return answer


@never_cache
@require_safe
def identity(request: HttpRequest) -> HttpResponseBase:
    """A fresh token for who is signed in, or null: what the page asks for when the chat needs another one."""
    try:
        door = website.chat_door(ADDRESS)
    except EntryPoint.DoesNotExist:
        raise Http404 from None
    return JsonResponse({"token": _token_of(customer_of(request), door, host_sites.accepted_key(door.pk, KEY_ID))})


def _token_of(customer: SiteCustomer | None, door: EntryPoint, key: HostSiteKey | None) -> str | None:
    """A token for a customer of the site; None for nobody, and without a key to sign with."""
    if customer is None or key is None:
        return None
    now = timezone.now()
    claims = {
        "sub": customer.id,
        "aud": door.address,
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_LIFETIME).timestamp()),
        "name": customer.name,
        "email": customer.email,
        "email_verified": True,
        "phone": customer.phone,
        "phone_verified": False,
        "locale": "en-GB",
    }
    try:
        return jwt.encode(claims, verification_key(key), algorithm=key.algorithm, headers={"kid": key.kid})
    except CannotBeOpened:
        return None
