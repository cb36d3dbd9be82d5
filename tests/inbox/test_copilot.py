"""The copilot: what it suggests for whom, rewriting, what was asked; and that it sends nothing."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from conversations.assistant.recording import TurnRecord
from conversations.assistant.writing.extractive import ExtractiveWriter
from conversations.flows import takeover
from conversations.knowledge.ingest import ingest
from conversations.models import Conversation, Entry, KnowledgeArticle
from conversations.services import facts, roll_out, timeline
from conversations.services.facts import LearnedFact
from conversations.services.timeline import NewEntry
from tests.inbox.conftest import Cast

pytestmark = pytest.mark.django_db


def panel(cast: Cast, conversation: Conversation, who: Any = None) -> str:
    answer = cast.client(who or cast.ann).get(f"/inbox/c/{conversation.public_id}/copilot/")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def ours(conversation: Conversation, text: str, **data: Any) -> int:
    """Words of the AI agent on the conversation's line."""
    line = conversation.interactions.get()
    return timeline.append(
        conversation.pk, NewEntry(kind="message", actor_kind="assistant", actor_name="Harbor", body=text, interaction=line, data=data)
    ).seq


def test_a_suggestion_with_its_source_what_was_asked_and_what_it_is_about(cast: Cast) -> None:
    """From the knowledge base, for the customer's last words; each question with its answer, and both with their places."""
    article = KnowledgeArticle.objects.create(
        title="How to reset your boiler", url="/help/reset/", published=True,
        body="Hold the reset button for ten seconds. The flame comes back.",
    )
    ingest(article)
    conversation = cast.chat(says="My boiler is cold.")
    asked = ours(conversation, "I am sorry. What is your postcode?", field={"fact": "postcode", "label": "Postcode"})
    told = cast.says(conversation, "LS1 4AP. How do I reset my boiler?")
    facts.learn(
        conversation, [LearnedFact("postcode", "LS1 4AP")], interaction=conversation.interactions.get(), from_seq=told.seq
    )
    page, before = panel(cast, conversation), Entry.objects.count()
    assert "Hold the reset button for ten seconds." in page
    assert 'href="/help/reset/"' in page
    assert f'data-jump="{asked}">What is your postcode?</a>' in page
    assert "Postcode: LS1 4AP" in page
    assert "In their words: “My boiler is cold.”" in page
    assert "Nothing of the record is suggested" in page
    assert [style for style in ("shorter", "friendlier", "formal") if f'data-style="{style}"' in page] == [], "needs a model"
    assert Entry.objects.count() == before


def asked_and_said(cast: Cast, conversation: Conversation) -> str:
    """That section of the panel alone."""
    return panel(cast, conversation).partition("Already asked and said</h3>")[2].partition("<h3")[0]


@pytest.mark.parametrize(
    ("said", "fact", "reply"),
    [
        ("When the system is cold, the gauge should show 1 to 1.5 bar.", "", "ok book me a boiler service please"),
        ("What e-mail address shall we send the quote to?", "email", "I want to talk to a person please"),
        ("How can I help?", "", "I want to move my visit"),
        ("Is the radiator cold at the top?", "", "can you send somebody on Friday"),
    ],
)
def test_what_is_no_question_or_no_answer_to_it_is_not_paired(cast: Cast, said: str, fact: str, reply: str) -> None:
    conversation = cast.chat(says="Hello.")
    ours(conversation, said, **({"field": {"fact": fact, "label": "Email"}} if fact else {}))
    cast.says(conversation, reply)
    assert reply not in asked_and_said(cast, conversation)
    ours(conversation, "Is it the one in the hall?")
    cast.says(conversation, "Yes, the big one please")
    assert "Yes, the big one please" in asked_and_said(cast, conversation)


def test_nothing_of_the_record_for_whoever_has_proven_nothing(cast: Cast) -> None:
    """The visits of the record are offered on a line whose party is the customer, and on no other."""
    from tests.reporting.cast import booking

    conversation = cast.chat()
    visit = booking(conversation)
    coming = timezone.now() + timedelta(days=2)
    type(visit).objects.filter(pk=visit.pk).update(window=(coming, coming + timedelta(hours=2)), customer=conversation.customer)
    assert visit.reference not in panel(cast, conversation)
    takeover.take_over(conversation, cast.ann)
    cast.client(cast.ann).post(f"/inbox/c/{conversation.public_id}/verify/", {"step": "attest", "note": "The last invoice: £85."})
    page = panel(cast, conversation)
    assert "Nothing of the record is suggested" not in page
    assert f"Your visit {visit.reference}, Boiler repair, is on" in page


def article(title: str, body: str, **more: Any) -> None:
    ingest(KnowledgeArticle.objects.create(slug=title.lower().replace(" ", "-"), title=title, url="/help/x/", body=body, **more))


def drafts(page: str) -> list[str]:
    """The texts that can be put into the field."""
    return re.findall('data-put="([^"]*)"', page)


def test_articles_for_others_are_shown_to_the_person_and_in_no_suggestion(cast: Cast) -> None:
    """Staff's own on no line; customers' own on the line of who has shown who they are, and beside the suggestion until then."""
    article("Parrots for all", "Feed the parrot seeds twice a day.")
    article("Parrots of customers", "Feed the parrot mangoes from the customer's basket.", audience="verified")
    article("Parrots inside", "Feed the parrot nothing that costs us money.", audience="staff")
    conversation = cast.chat(says="How do I feed my parrot?")
    page = panel(cast, conversation)
    assert [each for each in drafts(page) if "parrot" in each] == ["Feed the parrot seeds twice a day."]
    assert [word in page for word in ("mangoes", "costs us money")] == [True, True]
    assert page.count("for you alone") == 2
    takeover.take_over(conversation, cast.ann)
    cast.client(cast.ann).post(f"/inbox/c/{conversation.public_id}/verify/", {"step": "attest", "note": "The last invoice: £85."})
    KnowledgeArticle.objects.filter(audience="public").update(published=False)
    page = panel(cast, conversation)
    assert drafts(page) == ["Feed the parrot mangoes from the customer's basket."]
    assert "costs us money" in page
    assert page.count("for you alone") == 1
    KnowledgeArticle.objects.filter(audience="verified").update(published=False)
    assert drafts(panel(cast, conversation)) == []


def test_a_suggestion_is_in_the_language_of_the_conversation(cast: Cast) -> None:
    article("Opening hours", "We are open on Saturday from nine to one.")
    article("Horarios", "Las oficinas abren los sábados de nueve a una.", language="es")
    conversation = cast.chat(says="¿A qué hora abren las oficinas los sábados?")
    Conversation.objects.filter(pk=conversation.pk).update(language="es")
    assert drafts(panel(cast, conversation)) == ["Las oficinas abren los sábados de nueve a una."]


@pytest.mark.parametrize(
    ("style", "text", "rewritten"),
    [
        ("tidy", "hello  {frist_name} ,  i'll look.\n\n\n\nwhat is it ??", "Hello Maria, I'll look.\n\nWhat is it?"),
        ("tidy", "{postcode} noted", "{postcode} noted"),
        ("tidy", "pay as you like, e.g. by card. thanks", "Pay as you like, e.g. by card. Thanks"),
        ("greeting", "We are on our way.", "Hello Maria,\n\nWe are on our way.\n\nKind regards,\nAnn"),
        ("greeting", "Hi Maria, done.\nKind regards, Ann", "Hi Maria, done.\nKind regards, Ann"),
        ("written_out", "We can't, I'm afraid. It's what they've said; Ann's car won't.", None),
    ],
)
def test_rewriting_without_a_model(style: str, text: str, rewritten: str | None) -> None:
    """Only what rules do rightly, and nothing more is changed."""
    expected = rewritten or "We cannot, I am afraid. It is what they have said; Ann's car will not."
    known = {"first_name": "Maria", "agent": "Ann"}
    assert asyncio.run(ExtractiveWriter().rewrite(text, style, known, TurnRecord())) == expected


def test_rewriting_through_the_door(cast: Cast) -> None:
    conversation = cast.chat()
    address = f"/inbox/c/{conversation.public_id}/rewrite/"
    browser = cast.client(cast.ann)
    sent = browser.post(address, {"text": "on it ,now", "style": "tidy"})
    assert sent.json() == {"text": "On it ,now", "note": ""}
    for wrong in ({"text": "x", "style": "shorter"}, {"text": "", "style": "tidy"}, {"text": "x" * 4001, "style": "tidy"}):
        assert browser.post(address, wrong).status_code == 422
    assert cast.client(cast.manager).post(address, {"text": "x", "style": "tidy"}).status_code == 404, "a manager does not write"
    assert cast.client(cast.manager).get(f"/inbox/c/{conversation.public_id}/copilot/").status_code == 404


def test_the_outcome_that_is_suggested_can_be_kept_or_changed(cast: Cast) -> None:
    """The close form has it chosen, with the reason; what was shown is kept with what was chosen."""
    from routing.models import DispositionCode

    left = DispositionCode.objects.create(code="left", name="Customer left")
    conversation = cast.chat(says="Are you there?")
    takeover.take_over(conversation, cast.ann)
    address, browser = f"/inbox/c/{conversation.public_id}/close/", cast.client(cast.ann)
    form = browser.get(address).content.decode()
    assert f'<option value="{left.pk}" selected>' in form
    assert "Suggested: The customer spoke last, and nobody answered." in form
    assert browser.post(address, {"disposition": cast.solved.pk, "suggested": "left", "note": ""}).status_code == 204
    assert Entry.objects.get(kind="outcome.set").data == {"disposition": "solved", "suggested": "left"}


def test_the_switch_and_its_banner(cast: Cast) -> None:
    """Only who has the permission throws it, with a reason; inbox and admin say so; who threw it is kept."""
    page, stop = "/admin/conversations/assistantswitch/", "/admin/conversations/assistantswitch/stop/"
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_assistantswitch"))
    may = User.objects.create_user("mona", is_staff=True)
    may.user_permissions.set(Permission.objects.filter(codename__in=["view_assistantswitch", "stop_assistant"]))
    reading, steering, agents = cast.client(reader), cast.client(may), cast.client(cast.ann)
    assert "Stop the AI agent everywhere" not in reading.get(page).content.decode()
    assert reading.post(stop, {"why": "x"}).status_code == 403
    assert cast.client(cast.manager).get(page).status_code == 403
    assert steering.post(stop, {"why": " "}).status_code == 400
    assert _banner(agents) is False
    assert steering.post(stop, {"why": "It promises refunds."}).status_code == 302
    assert _banner(agents) is True
    assert "It promises refunds." in agents.get("/inbox/lists/").content.decode()
    assert "The AI agent is stopped everywhere." in reading.get("/admin/").content.decode()
    assert steering.post("/admin/conversations/assistantswitch/start/").status_code == 302
    assert _banner(agents) is False
    history = reading.get(page).content.decode()
    assert [history.count("mona"), "Stopped: It promises refunds." in history, "Started again" in history] == [2, True, True]
    assert not roll_out.start(by="mona")


def _banner(client: Client) -> bool:
    return "The AI agent is stopped everywhere." in client.get("/inbox/").content.decode()
