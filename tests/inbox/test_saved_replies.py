"""What a slash in the composer offers: saved replies, filled in, and knowledge."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.urls import reverse

from conversations.models import Conversation, KnowledgeArticle, KnowledgePassage, SavedReply
from conversations.services import facts, proving
from conversations.services.facts import LearnedFact
from tests.inbox.conftest import Cast

SCRIPT = "<script>alert(1)</script>"


def reply(shortcut: str, body: str, **values: object) -> SavedReply:
    return SavedReply.objects.create(shortcut=shortcut, body=body, **{"title": shortcut.capitalize(), **values})


def article(title: str, *texts: str) -> None:
    """A published article in passages, numbered as they are when an article is taken in."""
    made = KnowledgeArticle.objects.create(slug=title.lower(), title=title, body=" ".join(texts), url="/help/")
    for position, text in enumerate(texts, start=1):
        KnowledgePassage.objects.create(article=made, position=position, text=text, embedding=[0.0] * 384)


def menu(cast: Cast, conversation: Conversation, typed: str = "") -> str:
    answer = cast.client(cast.ann).get(reverse("inbox:inserts", args=[conversation.public_id]), {"q": typed})
    assert answer.status_code == 200
    return answer.content.decode()


def put_in(page: str) -> list[str]:
    """What each offered row would put in, in order."""
    return [unescape(text) for text in re.findall(r'data-insert="([^"]*)"', page)]


def test_both_groups_are_offered_with_their_names(cast: Cast) -> None:
    """Saved replies come first, knowledge second, each under its label."""
    reply("moment", "One moment.")
    article("Pressure", "Top up to 1.3 bar.", "Then close both taps.")
    page = menu(cast, cast.chat())
    assert page.index("Saved replies</p>") < page.index("One moment.") < page.index("Knowledge</p>") < page.index("Top up")
    assert "/moment" in page
    assert "Then close both taps." not in page


def test_what_is_typed_narrows_both_groups(cast: Cast) -> None:
    """A shortcut that begins with it is first, then titles, then words of the text; every word must be there."""
    reply("other", "Please read the gas meter.", title="Ask for a reading")
    reply("safe", "Go outside.", title="Gas, what to do")
    reply("gas", "Go outside now.", title="Smell")
    reply("moment", "One moment.")
    article("Meters", "The gas meter is in the hall.")
    conversation = cast.chat()
    assert put_in(menu(cast, conversation, "gas")) == [
        "Go outside now.",
        "Go outside.",
        "Please read the gas meter.",
        "The gas meter is in the hall.",
    ]
    assert put_in(menu(cast, conversation, "GAS reading")) == ["Please read the gas meter."]
    assert put_in(menu(cast, conversation, "met")) == ["Please read the gas meter.", "The gas meter is in the hall."]
    nothing = menu(cast, conversation, "xyzzy")
    assert put_in(nothing) == []
    assert "xyzzy" in nothing
    assert "Try fewer words" in nothing


@pytest.mark.parametrize("typed", ["!!!", "gas & (", "':*", "gas:*|!", "\\", "  ", "a b:", "the"])
def test_whatever_is_typed_is_answered(cast: Cast, typed: str) -> None:
    """Nothing typed is taken for the language of the database's search."""
    article("Meters", "The gas meter is in the hall.")
    menu(cast, cast.chat(), typed)


def test_placeholders_are_filled_from_the_conversation_and_the_agent(cast: Cast) -> None:
    """What was said here is used in its own spelling; a gap has its own words, or stays for the agent to fill."""
    reply("all", "Hello {first_name|there} ({name}), {phone|no number}: {agent} of {company}. {postcode|Where?} {email}")
    conversation = cast.chat(name="")
    assert put_in(menu(cast, conversation)) == ["Hello there ({name}), no number: Ann of Harbor. Where? {email}"]
    known = [LearnedFact("name", "Maria Lopez"), LearnedFact("phone", "+441632960123"), LearnedFact("postcode", "LS1 4AP")]
    facts.learn(conversation, known, interaction=conversation.interactions.get(), from_seq=2)
    assert put_in(menu(cast, conversation)) == ["Hello Maria (Maria Lopez), 01632 960123: Ann of Harbor. LS1 4AP {email}"]


def test_what_only_the_record_knows_is_not_put_into_words_for_somebody_unproven(cast: Cast) -> None:
    """The name on the record is filled in for a verified party alone."""
    reply("hello", "Hello {first_name|there}")
    conversation = cast.chat(name="Maria Lopez")
    assert put_in(menu(cast, conversation)) == ["Hello there"]
    proving.attest(conversation.interactions.get(), by="Ann", note="Knows the last invoice.")
    assert put_in(menu(cast, conversation)) == ["Hello Maria"]


def test_each_line_is_written_to_with_what_its_own_party_said(cast: Cast) -> None:
    """A call on the record of a verified chat: neither is told what the other said."""
    reply("hello", "Hello {first_name|there}, {postcode|where?}")
    conversation = cast.chat(name="")
    chat = conversation.interactions.get()
    proving.attest(chat, by="Ann", note="Knows the last invoice.")
    facts.learn(conversation, [LearnedFact("name", "Maria Lopez")], interaction=chat, from_seq=2)
    call = cast.call(conversation)
    assert put_in(menu(cast, conversation)) == ["Hello there, where?"]
    facts.learn(conversation, [LearnedFact("name", "Mallory Black"), LearnedFact("postcode", "LS1 4AP")], interaction=call, from_seq=2)
    assert put_in(menu(cast, conversation)) == ["Hello Mallory, LS1 4AP"]
    address = reverse("inbox:inserts", args=[conversation.public_id])
    to_chat = cast.client(cast.ann).get(address, {"q": "", "line": str(chat.public_id)}).content.decode()
    assert put_in(to_chat) == ["Hello Maria, where?"]


def test_the_customers_language_comes_first_and_the_inactive_not_at_all(cast: Cast) -> None:
    """A reply in another language can still be found; one that was put away cannot."""
    reply("a-french", "Bonjour.", language="fr")
    reply("b-english", "Good day.", language="en-GB")
    reply("c-any", "+++")
    reply("d-old", "Dear Sir.", active=False)
    assert put_in(menu(cast, cast.chat())) == ["Good day.", "+++", "Bonjour."]


def test_text_of_a_reply_and_of_a_customer_is_inert(cast: Cast) -> None:
    """Script in a reply, a name or the typed words is shown and put in as text."""
    reply("hello", SCRIPT + " {name}", title=SCRIPT)
    conversation = cast.chat(name="")
    facts.learn(conversation, [LearnedFact("name", SCRIPT + " {agent}")], interaction=conversation.interactions.get(), from_seq=2)
    page = menu(cast, conversation)
    assert SCRIPT not in page
    assert put_in(page) == [f"{SCRIPT} {SCRIPT} {{agent}}"]
    assert SCRIPT not in menu(cast, conversation, SCRIPT)


def test_only_agents_are_offered_anything(cast: Cast) -> None:
    """A manager who takes no work has no composer, so there is nothing here; null bytes are left out."""
    address = reverse("inbox:inserts", args=[cast.chat().public_id])
    assert cast.client(cast.manager).get(address).status_code == 404
    assert cast.client(cast.stranger).get(address).status_code == 404
    assert cast.client(None).get(address).status_code == 302
    assert cast.client(cast.ann).get(address, {"q": "a\x00b"}).status_code == 200


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"body": "Hello {nmae}"}, "Nothing is known that could be filled in for {nmae}."),
        ({"shortcut": "Two words"}, "Use small letters, digits and hyphens only"),
        ({"shortcut": "taken"}, "Another saved reply has this shortcut."),
        ({"language": "English"}, "Write a language as en or en-GB."),
    ],
)
def test_a_manager_is_told_what_is_wrong_with_a_reply(cast: Cast, changes: dict[str, str], complaint: str) -> None:
    """The admin refuses what agents could not use, in words; what is right is saved and explained there."""
    reply("taken", "Taken.")
    cast.manager.is_superuser = True
    cast.manager.save()
    browser = cast.client(cast.manager)
    address = reverse("admin:conversations_savedreply_add")
    right = {"title": "Say hello", "shortcut": "hello", "body": "Hello {first_name|there}", "language": "", "active": "on"}
    assert complaint in unescape(browser.post(address, right | changes).content.decode())
    assert SavedReply.objects.count() == 1
    assert "{postcode} the postcode they gave" in unescape(browser.get(address).content.decode())
    assert browser.post(address, right).status_code == 302
    assert SavedReply.objects.get(shortcut="hello").body == "Hello {first_name|there}"
