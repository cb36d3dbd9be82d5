"""One history, one language: a manager's page and the inbox say the same of the same entries."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import Interaction
from conversations.services import facts
from conversations.services.facts import LearnedFact
from tests.reporting import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages() -> dict[str, str]:
    """The history in the admin, on the pages of the customer and of the conversation, and in the inbox, as words."""
    talk = cast.conversation(cast.customer(""), timezone.now(), reason=cast.reason())
    session = Interaction.objects.get(provider_id=cast.chat(talk))
    cast.says(talk, "system", "", kind="interaction.started", interaction=session, data={"entry_point": "/harborhome", "party": "v"})
    cast.says(talk, "customer", "My boiler is cold.", interaction=session)
    cast.says(talk, "assistant", "I can help.", interaction=session, actor_name="Harbor Home Services")
    cast.says(
        talk,
        "assistant",
        "Checked HB1 4QT: served.",
        kind="tool.called",
        audience="staff",
        data={"tool": "check_area", "arguments": {"postcode": "HB1 4QT"}, "allowed": True, "idempotency_key": "key-1"},
    )
    facts.learn(talk, [LearnedFact("name", "Nadia Rahman")], interaction=None, from_seq=2)
    cast.says(
        talk,
        "assistant",
        "Asked for a person",
        kind="handoff.requested",
        audience="staff",
        data={"why": "Asked for a person", "facts": [{"name": "postcode", "value": "HB1 4QT"}], "next_step": "Answer at once."},
    )
    cast.says(talk, "system", "", kind="interaction.ended", interaction=session, data={"duration_seconds": 192, "end_reason": "left"})
    manager = Client()
    manager.force_login(cast.manager())
    addresses = {
        "customer": reverse("admin:conversations_customer_change", args=[talk.customer_id]),
        "conversation": reverse("admin:conversations_conversation_change", args=[talk.pk]),
        "inbox": reverse("inbox:conversation", args=[talk.public_id]),
    }
    return {name: words_of(manager.get(address).content.decode()) for name, address in addresses.items()}


def words_of(page: str) -> str:
    """What a reader sees of a page, in one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


@pytest.mark.parametrize("page", ["customer", "conversation", "inbox"])
def test_every_page_says_it_in_the_same_words(pages, page):
    text = pages[page]
    for words in (
        "Web chat · started ",
        "Nadia Rahman Web chat",
        "AI agent Web chat",
        "Looked up Checked HB1 4QT: served.",
        "Tool check area Allowed yes Arguments › Postcode HB1 4QT",
        "Handed over to a person",
        "Known Postcode HB1 4QT",
        "Next Answer at once.",
        "Web chat ended · 3 min 12 s",
    ):
        assert words in text, words
    assert "key-1" not in text
    assert "Harbor Home Services Web chat" not in text
