"""What a customer told an agent about being contacted: shown in the pane, noted in a dialog."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.urls import reverse

from conversations.models import Consent, ContactPreference, Conversation, Entry
from conversations.services import consent, identity, proving
from tests.inbox.conftest import PHONE, Cast


@pytest.fixture
def talk(cast: Cast) -> Conversation:
    """Maria has chatted, and given her number."""
    conversation = cast.chat()
    with transaction.atomic():
        identity.claim(conversation.customer, "phone", PHONE, source="said")
    return conversation


def pane(cast: Cast, talk: Conversation, who: object = None) -> str:
    return cast.client(who or cast.ann).get(reverse("inbox:customer", args=[talk.public_id])).content.decode()  # type: ignore[arg-type]


def send(cast: Cast, talk: Conversation, purpose: str, **fields: str) -> tuple[int, str]:
    filled = {"decision": "given", "how": "said", "scope": "  ", "wording": "May we call you?", "note": "", **fields}
    answer = cast.client(cast.ann).post(reverse("inbox:consent", args=[talk.public_id, purpose]), filled)
    return answer.status_code, answer.content.decode()


def test_every_purpose_says_what_holds_before_anything_was_said(cast: Cast, talk: Conversation) -> None:
    """With a button each for an agent, and none for a manager who takes no work."""
    text = pane(cast, talk)
    for words in ("Being contacted at all", "Calls from us", "Text messages", "Offers and news", "Recording of calls", "Not asked yet"):
        assert words in text
    address = reverse("inbox:consent", args=[talk.public_id, "sms"])
    assert f'data-dialog="{address}"' in text
    assert address not in pane(cast, talk, cast.manager)
    assert cast.client(cast.manager).get(address).status_code == 404


def test_an_agent_notes_a_yes_for_one_number_and_a_no(cast: Cast, talk: Conversation) -> None:
    """The words that were read out are kept with the yes; the history tells of both."""
    form = cast.client(cast.ann).get(reverse("inbox:consent", args=[talk.public_id, "outbound_call"])).content.decode()
    assert "May we call you on this number" in form
    assert f'value=" phone {PHONE}"' in form
    assert send(cast, talk, "outbound_call", scope=f" phone {PHONE}") == (204, "")
    row = Consent.objects.get()
    assert (row.value, row.wording, row.given_by, row.recorded_by) == (PHONE, "May we call you?", "agent", cast.ann.display_name)
    assert consent.may_we(talk.customer, "outbound_call", identifier=("phone", PHONE)).allowed
    text = pane(cast, talk)
    assert "May we call you?" in text
    assert "Said on the phone" in text
    send(cast, talk, "outbound_call", decision="revoked")
    assert not consent.may_we(talk.customer, "outbound_call", identifier=("phone", PHONE)).allowed
    assert "Agreed, does not count now" in pane(cast, talk)
    kinds = Entry.objects.filter(kind__startswith="consent.").order_by("seq").values_list("kind", "actor_kind", "audience")
    assert list(kinds) == [("consent.given", "agent", "staff"), ("consent.revoked", "agent", "staff")]


def test_no_contact_needs_a_reason_and_stands_out(cast: Cast, talk: Conversation) -> None:
    status, text = send(cast, talk, "contact", decision="revoked")
    assert status == 422
    assert "Write why they want no contact" in text
    assert send(cast, talk, "contact", decision="revoked", note="Two calls too many.")[0] == 204
    text = pane(cast, talk)
    assert "Do not contact" in text
    assert "Two calls too many." in text
    assert consent.may_we(talk.customer, "sms").code == "no_contact"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"decision": ""}, "Choose what they said."),
        ({"decision": "perhaps"}, "Choose what they said."),
        ({"how": ""}, "Choose how they said it."),
        ({"wording": " "}, "Write the words they agreed to."),
        ({"scope": " phone +447700900999"}, "That number or address is no longer there."),
        ({"scope": "<script>"}, "That number or address is no longer there."),
    ],
)
def test_what_is_wrong_is_said(cast: Cast, talk: Conversation, fields: dict[str, str], words: str) -> None:
    """Nothing is kept."""
    status, text = send(cast, talk, "outbound_call", **fields)
    assert status == 422
    assert words in text
    assert not Consent.objects.exists()


def test_an_unknown_purpose_is_not_there(cast: Cast, talk: Conversation) -> None:
    assert send(cast, talk, "world-peace")[0] == 404


def test_offers_by_one_way(cast: Cast, talk: Conversation) -> None:
    """A yes to offers needs proof on the line that it is said on."""
    assert "needs proof" in send(cast, talk, "marketing", scope="email  ")[1]
    proving.attest(talk.interactions.get(), by="Ann", note="Knows the last invoice.")
    assert send(cast, talk, "marketing", scope="email  ")[0] == 204
    assert consent.may_we(talk.customer, "marketing", way="email").allowed
    assert not consent.may_we(talk.customer, "marketing", way="text").allowed
    assert "by email" in pane(cast, talk)


def test_how_they_like_to_be_reached(cast: Cast, talk: Conversation) -> None:
    """Kept once, shown, and filled in when it is changed."""
    address = reverse("inbox:preference", args=[talk.public_id])
    browser = cast.client(cast.ann)
    for way in ("call", "text"):
        assert browser.post(address, {"way": way, "times": "weekdays after six", "language": "es"}).status_code == 204
    assert ContactPreference.objects.get().way == "text"
    assert "weekdays after six" in pane(cast, talk)
    assert 'value="weekdays after six"' in browser.get(address).content.decode()
    assert browser.post(address, {"way": "pigeon"}).status_code == 422


def test_what_customers_wrote_is_text(cast: Cast, talk: Conversation) -> None:
    send(cast, talk, "sms", wording="<script>alert(1)</script>", note="<b>no</b>")
    assert "<script>alert" not in pane(cast, talk)
    assert "<b>no" not in pane(cast, talk)


def test_a_caller_has_not_proven_what_the_chat_has(cast: Cast, talk: Conversation) -> None:
    """With a verified chat and an unproven call, each line has its own badge, and a yes has the assurance of the line it is said on."""
    chat = talk.interactions.get()
    proving.attest(chat, by="Ann", note="Knows the last invoice.")
    call = cast.call(talk)
    text = pane(cast, talk)
    assert "Caller ID" in text
    assert ">Verified<" not in text
    header = cast.client(cast.ann).get(reverse("inbox:status", args=[talk.public_id])).content.decode()
    assert "Call · Caller ID" in header
    assert "Web chat · Verified" in header
    status, text = send(cast, talk, "marketing")
    assert status == 422
    assert "needs proof" in text
    assert not consent.may_we(talk.customer, "marketing", way="email").allowed
    assert send(cast, talk, "marketing", line=str(chat.public_id))[0] == 204
    assert send(cast, talk, "sms")[0] == 204
    noted = Consent.objects.order_by("pk").values_list("purpose", "assurance", "interaction")
    assert list(noted) == [("marketing", "verified", chat.pk), ("sms", "network_hint", call.pk)]
