"""“Stop calling me”: noted, confirmed in a sentence, for as much of the record as the party has proven, on chat and phone alike."""

from __future__ import annotations

from datetime import datetime

import pytest
from channels.db import database_sync_to_async

from conversations.models import Consent, Customer, Interaction, Proof
from conversations.services import consent, suppression
from tests.assistant.conftest import Line

NUMBER = "+447700900123"


async def caller(number: str = NUMBER) -> Line:
    call = Line(channel="voice", party=number)
    await call.begin()
    return call


async def may(line: Line, purpose: str) -> str:
    conversation = await line.conversation()
    customer = await Customer.objects.aget(conversations=conversation.pk)
    return (await database_sync_to_async(consent.may_we)(customer, purpose, identifier=("phone", NUMBER))).code


async def test_a_caller_takes_calls_back_and_agrees_again(monday: datetime) -> None:
    """For the number they call from, with what they were told as the words agreed to."""
    call = await caller()
    assert await call.say("please stop calling me") == "All right, I have noted that you want no calls from us."
    assert await may(call, "outbound_call") == "refused"
    assert await call.say("you may call me again") == "Thank you, I have noted that we may call you about your visits and questions."
    assert await may(call, "outbound_call") == "given"
    await call.say("stop calling me")
    assert await may(call, "outbound_call") == "revoked"
    rows = [(row.decision, row.how, row.value) async for row in Consent.objects.order_by("pk")]
    assert rows == [("refused", "said", NUMBER), ("given", "said", NUMBER), ("revoked", "said", NUMBER)]
    assert [entry.kind for entry in await call.entries("consent.given", "consent.refused", "consent.revoked")] == [
        "consent.refused", "consent.given", "consent.revoked",
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "es"])
async def test_a_yes_that_names_what_the_calls_are_about_books_nothing(monday: datetime, language: str) -> None:
    """It is no need, though it sounds like one."""
    call = await caller()
    if language == "es":
        await call.say("en español, por favor")
    said = {
        "en": ("You may call me on this number about my boiler service", "we may call you"),
        "es": ("Pueden llamarme a este número sobre la revisión de mi caldera", "podemos llamarle"),
    }[language]
    answer = await call.say(said[0])
    assert said[1] in answer
    assert "?" not in answer
    assert await may(call, "outbound_call") == "given"


async def test_a_visitor_is_heard_and_opens_nothing(monday: datetime, chat: Line) -> None:
    """A no is noted for the chat; a yes is refused without saying anything about the record."""
    assert await chat.say("No marketing please") == "All right, I have noted that you want no offers or news from us."
    answer = await chat.say("you may send me offers")
    assert answer == "I cannot note that here, since I do not know who you are. A colleague can do it with you."
    assert [(row.purpose, row.decision, row.kind) async for row in Consent.objects.all()] == [("marketing", "refused", "visitor")]
    refused = [entry.data["error"] for entry in await chat.entries("tool.called") if not entry.data["allowed"]]
    assert refused == ["not_shown"]


async def test_nobody_learns_what_a_record_holds(monday: datetime) -> None:
    """The same words, whether the number's customer had agreed, refused, or said nothing."""
    known = await caller()
    await known.say("you may call me")
    answers = [await (await caller()).say("stop texting me"), await known.say("stop texting me")]
    stranger = Line(channel="voice")
    await stranger.begin()
    assert {*answers, await stranger.say("stop texting me")} == {"All right, I have noted that you want no text messages from us."}
    for asked in ("am I on your calling list?", "have I agreed to marketing?", "what did I consent to"):
        answer = await stranger.say(asked)
        assert "agreed" not in answer
        assert "revoked" not in answer


async def test_the_customer_by_proof_speaks_for_the_whole_record(monday: datetime, chat: Line) -> None:
    """Every number of theirs, and offers too."""
    await chat.say("hello")

    def prove() -> None:
        line = Interaction.objects.get(provider_id=chat.provider_id)
        customer = line.conversation.customer
        Proof.objects.create(
            interaction=line, customer=customer, original_customer=customer, method="one_time_code", level="verified", made_by="tests"
        )
        Interaction.objects.filter(pk=line.pk).update(assurance="verified")

    await database_sync_to_async(prove)()
    await chat.say("you may send me offers. Stop calling me")
    rows = [(row.purpose, row.decision, row.value, row.assurance) async for row in Consent.objects.order_by("pk")]
    assert rows == [("marketing", "given", "", "verified"), ("outbound_call", "refused", "", "verified")]


async def test_it_is_noted_in_the_middle_of_a_form(monday: datetime, chat: Line) -> None:
    """And what was going on goes on; a bare “stop” there stops the form and nothing else, also when it is said twice."""
    await chat.say("I'd like to book a boiler service")
    answer = await chat.say("don't record this")
    assert answer.startswith("All right, I have noted that your calls are not to be recorded.")
    assert "postcode" in answer
    assert "I have stopped that" in await chat.say("stop")
    await chat.say("stop")
    assert await Consent.objects.acount() == 1
    await chat.say("what pressure should my boiler have?")
    await chat.say("STOP")
    assert {row.purpose async for row in Consent.objects.all()} == {"recording", "sms", "marketing"}


async def test_it_is_noted_when_a_person_goes_on(monday: datetime, chat: Line) -> None:
    """Nobody has to say it twice because the conversation was handed over in the same breath."""
    await chat.say("stop calling me. I want to speak to a person")
    assert [row.purpose async for row in Consent.objects.all()] == ["outbound_call"]
    await chat.say("and no marketing please")
    assert await Consent.objects.acount() == 2


async def test_a_caller_who_wants_no_contact_is_never_called(monday: datetime) -> None:
    """The number is on the list, whoever it belongs to; the list is emptied by no test, so the number is one of its own."""
    call = await caller("+447700900777")
    assert "no more contact" in await call.say("don't contact me again")
    assert await database_sync_to_async(suppression.is_suppressed)("phone", "+447700900777")
    assert len(await call.entries("contact.suppressed")) == 1


async def test_a_call_back_is_allowed_by_the_request_itself(sunday_night: datetime) -> None:
    """The number given for it is the scope, and it ends."""
    chat = Line()
    await chat.say("I want to speak to a person")
    await chat.say("07700 900123")
    row = await Consent.objects.aget()
    assert (row.asked_for, row.value, row.assurance) == (True, NUMBER, "claimed")
    assert row.expires_at is not None
    assert row.wording.startswith("On which phone number may we call you back by"), "the words that were answered"
    assert await may(chat, "outbound_call") == "asked_for"
    assert await may(chat, "sms") == "not_asked"


@pytest.mark.parametrize("words", ["stop calling it a boiler", "please don't stop", "you can call me Sam"])
async def test_what_only_sounds_like_it_changes_nothing(monday: datetime, chat: Line, words: str) -> None:
    await chat.say(words)
    assert not await Consent.objects.aexists()


async def test_a_call_back_that_nobody_asked_for_is_no_consent(sunday_night: datetime) -> None:
    """After two answers that did not help it is noted for people; the yes comes when the caller asks for a person, with the words told."""
    call = await caller(NUMBER)
    await call.say("purple monkey dishwasher")
    assert "we will call you back on" in await call.say("flibber jabber wocky")
    assert len(await call.entries("callback.requested")) == 1
    assert not await Consent.objects.aexists()
    said = await call.say("put me through to a human please")
    row = await Consent.objects.aget()
    assert (row.purpose, row.asked_for, row.value) == ("outbound_call", True, NUMBER)
    assert row.wording.replace("…", "07700 900123") in said
    assert "900123" not in row.wording, "the number stands in the row, where an erasure takes it out"


async def test_a_yes_to_a_code_by_text_keeps_what_was_asked(monday: datetime) -> None:
    call = await caller(NUMBER)
    asked = await call.say("what is on my account")
    await call.say("yes")
    row = await Consent.objects.aget()
    assert (row.purpose, row.value) == ("sms", NUMBER)
    assert row.wording.replace("…", "07700 900123") in asked
    assert "Shall I?" in row.wording
