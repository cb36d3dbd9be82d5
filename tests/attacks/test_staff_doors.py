"""Who may not come in: every address of the record's pages, for nobody, a stranger with an account, an agent and a reading manager.

The addresses are found in the URL configuration, so a new one is tried without being named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from conversations.models import Conversation, Customer, CustomerLink, DataExport, ErasureRequest, LegalHold, MatchCandidate
from conversations.services import holds, merging
from routing.models import AgentProfile
from tests.attacks import victim, watching
from tests.attacks.victim import Victim

pytestmark = pytest.mark.usefixtures("transactional_db")
OUTSIDERS = ("nobody", "a stranger", "an agent")
READER = "a manager who may only read"
HAND = re.compile(r"<(?:(\w+):)?(\w+)>")
WRITES = re.compile(
    r"/(add|delete|import|process_import|export|join|separate|settle|start|run|make|place|lift|rotate|revoke|conflict)(/|$)"
)
OWN_DOOR = {"login", "logout", "jsi18n", "password_change", "password_change_done"}


@pytest.fixture
def jacinta() -> Victim:
    """The victim, with a joined record, a pair to look at and a hold, so that every address has a row behind it."""
    made = victim.known_to_the_company()
    row = Customer.objects.get(pk=made.customer)
    other, third = Customer.objects.create(name="Somebody Else"), Customer.objects.create(name="Third")
    merging.join_customers(other, row, evidence={}, made_by="tests")
    MatchCandidate.objects.create(customer=row, other=third)
    holds.place(row, by="tests", reason="A court case.", ends_at=None)
    return made


def browser(who: str) -> Client:
    """Somebody's browser; every form is checked for the forgery token only where a test asks for it."""
    client = Client()
    if who == "an agent":
        client.force_login(AgentProfile.objects.filter(user__is_staff=False).order_by("pk")[0].user)
    elif who == "a stranger":
        client.force_login(User.objects.get_or_create(username="stranger")[0])
    elif who == READER:
        user, _made = User.objects.get_or_create(username="reader", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__startswith="view_", content_type__app_label="conversations"))
        client.force_login(user)
    return client


def superuser() -> User:
    """Somebody who may do everything."""
    return User.objects.get_or_create(username="root", is_staff=True, is_superuser=True)[0]


def addresses(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[tuple[str, str]]:
    """Every address of the admin and the inbox with the victim's numbers in it, and its name."""
    for each in (resolver or get_resolver()).url_patterns:
        path = prefix + str(each.pattern).lstrip("^").rstrip("$")
        if isinstance(each, URLResolver):
            yield from addresses(each, path)
        elif isinstance(each, URLPattern) and path.startswith(("/admin/", "/inbox/")) and "(" not in path and each.name not in OWN_DOOR:
            yield HAND.sub(_value, path), str(each.name)


def _value(found: re.Match[str]) -> str:
    name = found[2]
    if found[1] == "uuid":
        return str(Conversation.objects.order_by("pk").values_list("public_id", flat=True)[0])
    if name == "other":
        return str(Customer.objects.order_by("-pk").values_list("pk", flat=True)[0])
    return str(Customer.objects.order_by("pk").values_list("pk", flat=True)[0]) if name == "customer" else "1"


@pytest.mark.parametrize("who", OUTSIDERS)
def test_nobody_but_managers_comes_into_the_admin(jacinta: Victim, who: str) -> None:
    """Every address, looked at and posted to: asked to sign in or refused, told nothing, and nothing changed."""
    client, before, tried = browser(who), watching.rows_now(), 0
    for path, name in addresses():
        if not path.startswith("/admin/"):
            continue
        for method in (client.get, client.post):
            response = method(path, {"decision": "join", "reason": "x", "word": "erase", "ground": "asked"})
            assert response.status_code in (302, 403, 404, 405), (name, path, response.status_code)
            assert response.status_code != 302 or "login" in response["Location"], (name, path, response["Location"])
            assert _leaks(jacinta, response) == [], path
            tried += 1
    assert tried > 100
    assert watching.changes(before, watching.rows_now()) == set()


@pytest.mark.parametrize("who", ["nobody", "a stranger"])
def test_nobody_but_staff_comes_into_the_inbox(jacinta: Victim, who: str) -> None:
    """The same for every address of the inbox."""
    client, before, tried = browser(who), watching.rows_now(), 0
    for path, name in addresses():
        if not path.startswith("/inbox/"):
            continue
        for method in (client.get, client.post):
            response = method(path, {"text": "x", "client_id": "x"})
            assert response.status_code in (302, 404, 405), (name, response.status_code)
            assert response.status_code != 302 or "login" in response["Location"], name
            assert _leaks(jacinta, response) == [], path
            tried += 1
    assert tried > 30
    assert watching.changes(before, watching.rows_now()) == set()


def test_a_manager_who_may_only_read_changes_nothing(jacinta: Victim) -> None:
    """Joining, separating, erasing, exporting, holding, importing: each posted to, with what would be accepted, and refused."""
    client, before, tried = browser(READER), watching.rows_now(), 0
    sent = {"decision": "join", "reason": "x", "word": "erase", "ground": "asked", "choice": "root", "confirm": "yes"}
    for path, name in addresses():
        if path.startswith("/admin/conversations/") and WRITES.search(path):
            response = client.post(path, sent)
            assert response.status_code in (403, 404, 405) or _is_sent_back(response), (name, path, response.status_code)
            tried += 1
    assert tried > 30
    assert watching.changes(before, watching.rows_now()) == set()
    assert not DataExport.objects.exists()
    assert CustomerLink.objects.filter(active=True).count() == LegalHold.objects.filter(lifted_at=None).count() == 1


def test_every_form_needs_the_forgery_token(jacinta: Victim) -> None:
    """Another site cannot have a signed-in superuser post anything, whatever the address."""
    client, before, tried = Client(enforce_csrf_checks=True), watching.rows_now(), 0
    client.force_login(superuser())
    for path, name in addresses():
        if not name.endswith("autocomplete"):
            assert client.post(path, {"decision": "join", "word": "erase"}).status_code in (403, 404, 405), (name, path)
            tried += 1
    assert tried > 100
    assert watching.changes(before, watching.rows_now()) == set()


def test_what_was_erased_cannot_be_exported_any_more(jacinta: Victim) -> None:
    """An erased customer's export holds nothing of them; a held one's erasure waits."""
    row, client = Customer.objects.get(pk=jacinta.customer), Client()
    client.force_login(superuser())
    sent = {"ground": "asked", "case": "T-1", "word": "erase"}
    client.post(f"/admin/conversations/erasurerequest/start/{row.pk}/", sent)
    assert Customer.objects.get(pk=row.pk).name == victim.NAME
    holds.lift(LegalHold.objects.get(), by="tests")
    for request in ErasureRequest.objects.all():
        client.post(f"/admin/conversations/erasurerequest/{request.pk}/run/")
    exported = client.post(f"/admin/conversations/dataexport/make/{row.pk}/")
    content = b"".join(exported) if exported.streaming else exported.content
    assert victim.leaked(victim.PRIVATE, content.decode("latin-1"), "") == []


def _leaks(of: Victim, response: Any) -> list[str]:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return victim.leaked(of.secrets(), body.decode("utf-8", "replace"), response.request["PATH_INFO"])


def _is_sent_back(response: Any) -> bool:
    """Whether a page only showed the form again or led elsewhere, which the rows then prove."""
    return response.status_code in (200, 302, 400)
