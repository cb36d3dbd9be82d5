"""Who may come in and who may do what."""

import uuid

import pytest
from django.conf import settings
from django.urls import reverse

from conversations.models import Entry
from tests.inbox.conftest import Cast

READ = ["conversation", "entries", "status", "customer"]
ACT = ["say", "note", "take-over", "connect", "transfer", "close"]


@pytest.mark.parametrize("name", ["home", "lists", "find"])
def test_pages_open_to_staff_only(cast: Cast, name: str) -> None:
    """Agents and managers see the inbox; a customer with an account finds nothing; others are asked to sign in."""
    address = reverse(f"inbox:{name}")
    assert cast.client(cast.ann).get(address).status_code == 200
    assert cast.client(cast.manager).get(address).status_code == 200
    assert cast.client(cast.stranger).get(address).status_code == 404
    anonymous = cast.client(None).get(address)
    assert anonymous.status_code == 302
    assert anonymous["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", READ)
def test_a_conversation_opens_to_staff_only(cast: Cast, name: str) -> None:
    """Every active agent and every manager may read it, nobody else learns that it exists."""
    conversation = cast.chat()
    address = reverse(f"inbox:{name}", args=[conversation.public_id])
    assert cast.client(cast.ann).get(address).status_code == 200
    assert cast.client(cast.ben).get(address).status_code == 200
    assert cast.client(cast.manager).get(address).status_code == 200
    assert cast.client(cast.stranger).get(address).status_code == 404
    assert cast.client(None).get(address).status_code == 302
    assert cast.client(cast.ann).get(reverse(f"inbox:{name}", args=[uuid.uuid4()])).status_code == 404


@pytest.mark.parametrize("name", ACT)
def test_only_agents_act(cast: Cast, name: str) -> None:
    """A manager without an agent profile reads; a stranger and nobody get nothing; nothing is written."""
    conversation = cast.chat()
    before = Entry.objects.count()
    address = reverse(f"inbox:{name}", args=[conversation.public_id])
    sent = {"text": "Hello", "client_id": str(uuid.uuid4())}
    assert cast.client(cast.manager).post(address, sent).status_code == 404
    assert cast.client(cast.stranger).post(address, sent).status_code == 404
    assert cast.client(None).post(address, sent).status_code == 302
    assert cast.client(cast.ann).post(reverse(f"inbox:{name}", args=[uuid.uuid4()]), sent).status_code == 404
    assert Entry.objects.count() == before


def test_an_agent_who_left_is_out(cast: Cast) -> None:
    """An inactive profile opens nothing."""
    browser = cast.client(cast.ann)
    cast.ann.active = False
    cast.ann.save()
    assert browser.get(reverse("inbox:home")).status_code == 404


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(cast: Cast) -> None:
    """When the sign-in has run out, a fragment says where to go instead of showing the form inside a pane."""
    answer = cast.client(None).get(reverse("inbox:lists"), headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"].startswith(reverse("account_login"))


def test_acting_needs_the_forgery_token(cast: Cast) -> None:
    """A form of another site cannot make a signed-in agent say something."""
    from django.test import Client

    conversation = cast.chat()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.ann.user)
    address = reverse("inbox:note", args=[conversation.public_id])
    assert browser.post(address, {"text": "x", "client_id": str(uuid.uuid4())}).status_code == 403


def test_the_page_has_no_inline_script_or_style(cast: Cast) -> None:
    """The strict Content-Security-Policy is sent, and nothing on the page needs more."""
    conversation = cast.chat()
    answer = cast.client(cast.ann).get(reverse("inbox:conversation", args=[conversation.public_id]))
    page = answer.content.decode()
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "'unsafe" not in answer["Content-Security-Policy"]
    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    assert "<script>" not in page


def test_signing_in_uses_our_page_and_leads_to_the_inbox(cast: Cast) -> None:
    """The page is ours, a wrong password is said plainly, the right one opens the inbox."""
    cast.ann.user.set_password("a-good-long-password")
    cast.ann.user.save()
    browser, address = cast.client(None), reverse("account_login")
    assert "Sign in to CX Hub" in browser.get(address).content.decode()
    wrong = browser.post(address, {"login": "ann", "password": "wrong"})
    assert wrong.status_code == 200
    assert 'role="alert"' in wrong.content.decode()
    right = browser.post(address, {"login": "ann", "password": "a-good-long-password"})
    assert (right.status_code, right["Location"]) == (302, "/inbox/")
    assert "button-primary" in browser.get(reverse("account_change_password")).content.decode()


def test_the_start_page_shows_the_doors(cast: Cast) -> None:
    """Everybody may see where to go; without debugging nothing is said of a demonstration."""
    page = cast.client(None).get("/").content.decode()
    assert 'href="/inbox/"' in page
    assert ("make run" in page) is settings.DEBUG
