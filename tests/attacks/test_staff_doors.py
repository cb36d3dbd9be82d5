"""Who may not come in: every address of the record's pages, for nobody, a stranger with an account, an agent and a reading manager.

The addresses are found in the URL configuration, so a new one is tried without being named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from conversations.chat import visitor
from conversations.inbox import recordings
from conversations.models import (
    ActionItem,
    CallRecording,
    CallSeat,
    Conversation,
    Customer,
    Entry,
    ErasureRequest,
    FieldConflict,
    Interaction,
    KnowledgeArticle,
    LegalHold,
    MatchCandidate,
    SharedIdentifier,
    TurnTrace,
)
from conversations.models.consent import Purpose
from conversations.services import action_items, articles, erasure, holds, merging, unanswered, weaving
from conversations.services.unanswered import Question
from routing.models import AgentProfile, Queue, Reservation, WorkItem
from tests.attacks import victim, watching
from tests.attacks.victim import Victim
from tests.record import parties

pytestmark = pytest.mark.usefixtures("transactional_db")
OUTSIDERS = ("nobody", "a stranger", "an agent")
READER = "a manager who may only read"
HAND = re.compile(r"<(?:(\w+):)?(\w+)>")
OURS = ("/admin/conversations/", "/admin/routing/")
READS = ("_changelist", "_history", "_try", "None")
"""Pages that only show something, and the way to them, by the ends of their names."""
ADMIN_S_OWN = (*READS, "_add", "_change", "_delete")
"""Pages that Django's admin has for every model."""
PARTS: dict[str, type[Model]] = {
    "public_id": Conversation, "reservation_id": Reservation, "customer": Customer, "other": Customer,
    "queue_id": Queue, "agent_id": AgentProfile, "work_id": WorkItem, "item_id": ActionItem, "entry_id": Entry,
    "trace_id": TurnTrace, "seat": CallSeat,
}  # fmt: skip
OWN_DOOR = {"login", "logout", "jsi18n", "password_change", "password_change_done"}


@pytest.fixture
def jacinta() -> Victim:
    """The victim, and a row of whatever a page of the record can change: joined ones, a pair, a hold, what is to be erased."""
    made = victim.known_to_the_company()
    row = Customer.objects.get(pk=made.customer)
    other, third = Customer.objects.create(name="Somebody Else", postcode="HB15ZZ"), Customer.objects.create(name="Third")
    merging.join_customers(other, row, evidence={}, made_by="tests")
    MatchCandidate.objects.create(customer=row, other=third)
    holds.place(row, by="tests", reason="A court case.", ends_at=None)
    joined, into = parties.chat(visitor.new()).conversation, Conversation.objects.get(customer=row)
    weaving.join_by_hand(joined, into, reason="One need.", made_by="tests")
    SharedIdentifier.objects.create(kind="phone", value="+441632960500", customers=9, shown_as="verified")
    erasure.request(third, ground="asked", by="tests")
    action_items.add(into, title="Send the papers", by=action_items.By("agent", "Ann"), key="papers")
    line = Interaction.objects.order_by("pk")[0]
    unanswered.note(Question("do you mend kites", [1.0] + [0.0] * 383, "en"), line=line, seq=1)
    articles.number_first_versions([KnowledgeArticle.objects.get_or_create(slug="kites", defaults={"title": "Kites"})[0]], by="tests")
    call = Interaction.objects.get(channel="voice")
    colleague = AgentProfile.objects.order_by("pk")[0]
    CallSeat.objects.create(interaction=call, agent=colleague, name="Ann", purpose="join", until=timezone.now())
    CallRecording.objects.create(interaction=call, recording_id="r-1", began_at=timezone.now(), next_try_at=timezone.now())
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
        to_read = Permission.objects.filter(codename__startswith="view_", content_type__app_label__in=["conversations", "routing"])
        user.user_permissions.set(to_read)
        client.force_login(user)
    return client


def superuser() -> User:
    """Somebody who may do everything."""
    return User.objects.get_or_create(username="root", is_staff=True, is_superuser=True)[0]


def addresses(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[tuple[str, str]]:
    """Every address of the admin and the inbox with the numbers of rows that exist in it, and its name."""
    for each in (resolver or get_resolver()).url_patterns:
        path = prefix + str(each.pattern).lstrip("^").rstrip("$")
        if isinstance(each, URLResolver):
            yield from addresses(each, path)
        elif isinstance(each, URLPattern) and path.startswith(("/admin/", "/inbox/")) and "(" not in path and each.name not in OWN_DOOR:
            yield HAND.sub(partial(_value, path), path), str(each.name)


def _value(path: str, found: re.Match[str]) -> str:
    """The number of the first row of what an address is about, "0" when there is none."""
    if found[2] == "purpose":
        return str(Purpose.SMS)
    if found[2] == "name":
        return "hang-up" if "/call/" in path else "open_ticket"
    if found[2] == "manner":
        return str(CallSeat.Manner.LISTEN)
    if found[2] == "recording_id":
        return CallRecording.objects.get().recording_id
    if found[2] == "token":
        reader = AgentProfile.objects.order_by("pk")[0].user_id
        return signing.dumps({"recording": CallRecording.objects.get().recording_id, "user": reader}, salt=recordings.SALT)
    if found[2] == "content_type_id":
        return str(ContentType.objects.get_for_model(Customer).pk)
    model = _model(path, found[2])
    rows = model._base_manager.order_by("-pk" if found[2] == "other" else "pk")
    return str(rows.values_list("public_id" if found[1] == "uuid" else "pk", flat=True).first() or 0)


def _model(path: str, name: str) -> type[Model]:
    """What the part of an address with this name is the number of."""
    if name in PARTS:
        return PARTS[name]
    if path.startswith("/admin/r/"):
        return Customer
    if "/customerlink/" in path and "/separate/" not in path and name == "number":
        return FieldConflict if "/conflict/" in path else Customer
    _, _, app, model, *_ = path.split("/")
    return apps.get_model(app, model)


@pytest.mark.parametrize("who", OUTSIDERS)
def test_nobody_but_managers_comes_into_the_admin(jacinta: Victim, who: str) -> None:
    """Every address, looked at and posted to: asked to sign in or refused, told nothing, and nothing changed."""
    client, before, tried = browser(who), watching.rows_now(), 0
    for path, name in addresses():
        if not path.startswith("/admin/"):
            continue
        for method in (client.get, client.post):
            response = method(path, {"decision": "join", "reason": "x", "word": "erase", "ground": "asked"})
            assert (response.status_code, "login" in response.get("Location", "")) == (302, True), (name, path)
            assert _leaks(jacinta, response) == [], path
            tried += 1
    assert tried > 100
    assert watching.rows_now() == before


@pytest.mark.parametrize(("who", "refused"), [("nobody", 302), ("a stranger", 404)])
def test_nobody_but_staff_comes_into_the_inbox(jacinta: Victim, who: str, refused: int) -> None:
    """The same for every address of the inbox."""
    client, before, tried = browser(who), watching.rows_now(), 0
    for path, name in addresses():
        if not path.startswith("/inbox/"):
            continue
        answers = [method(path, {"text": "x", "client_id": "x"}) for method in (client.get, client.post)]
        assert {refused} <= {each.status_code for each in answers} <= {refused, 405}, (name, path)
        for response in answers:
            assert response.status_code != 302 or "login" in response["Location"], name
            assert _leaks(jacinta, response) == [], path
            tried += 1
    assert tried > 30
    assert watching.rows_now() == before


def test_a_manager_who_may_only_read_changes_nothing(jacinta: Victim) -> None:
    """Joining, separating, erasing, exporting, holding, importing: each posted to, with what would be accepted, and refused."""
    client, before, tried = browser(READER), watching.rows_now(), 0
    sent = {"decision": "join", "reason": "x", "word": "erase", "ground": "asked", "choice": "root", "hours": 24, "into": "x"}
    for path, name in addresses():
        if path.startswith(OURS) and not name.endswith(READS):
            assert client.post(path, sent).status_code == 403, (name, path)
            tried += 1
    assert tried > 100
    assert watching.rows_now() == before


def test_every_page_that_changes_something_has_a_row_to_change(jacinta: Victim) -> None:
    """Or what is refused above might only not have been found."""
    own = [(path, name) for path, name in addresses() if path.startswith(OURS) and not name.endswith(ADMIN_S_OWN)]
    assert [name for path, name in own if "/0/" in path] == []
    assert len(own) > 20


def test_every_form_needs_the_forgery_token(jacinta: Victim) -> None:
    """Another site cannot have a signed-in superuser post anything, whatever the address."""
    client, before, tried = Client(enforce_csrf_checks=True), watching.rows_now(), 0
    client.force_login(superuser())
    for path, name in addresses():
        if not name.endswith("autocomplete"):
            assert client.post(path, {"decision": "join", "word": "erase"}).status_code == 403, (name, path)
            tried += 1
    assert tried > 100
    assert watching.rows_now() == before


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
