"""Who the customer is, found out before anything of their record is told or changed: on chat and phone alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import transaction

from conversations.models import Booking, Conversation, Customer, Entry, Interaction, MatchCandidate
from conversations.services import joining, messengers, suppression, threads
from tests.assistant.conftest import Line

pytestmark = pytest.mark.usefixtures("monday")
ADDRESS = "jane@example.org"
TEXTED: list[str] = []


class Phone:
    """Stands in for the company that carries text messages."""

    def __call__(self, *, to: str, sender: str, text: str, reference: str) -> str:
        TEXTED.append(text)
        return f"m-{reference}"


@contextmanager
def texting() -> Iterator[None]:
    """Text messages arrive in `TEXTED` within the block, and mails in Django's outbox; both are empty at first."""
    TEXTED.clear()
    mail.outbox.clear()
    before = list(messengers._text_senders)
    messengers.register_text(Phone())
    yield
    messengers._text_senders[:] = before


@pytest.fixture(autouse=True)
def texts() -> Iterator[None]:
    with texting():
        yield


def code_in(text: str) -> str:
    found = re.search(r"\b\d{6}\b", text)
    assert found
    return found[0]


def mailed() -> str:
    return code_in(mail.outbox[-1].body)


def wrong(code: str) -> str:
    return f"{(int(code) + 7) % 10**6:06d}"


async def books_a_visit(line: Line) -> str:
    """Books a boiler service and returns its reference."""
    await line.say("I'd like to book a boiler service, my postcode is HB1 4QT, tomorrow morning")
    await line.say(line.choices[0])
    await line.say("Jane Doe")
    if "phone" in line.last.body:
        await line.say("07700 900123")
    booking = await Booking.objects.alatest("pk")
    return booking.reference


async def proves_address(line: Line, address: str = ADDRESS) -> str:
    await line.say("What do you have on my account?")
    await line.say(address)
    return await line.say(mailed())


async def known_jane() -> str:
    """A customer with a proven address and a visit; returns the visit's reference."""
    earlier = Line()
    reference = await books_a_visit(earlier)
    await proves_address(earlier)
    await sync_to_async(Customer.objects.filter(conversations=earlier.conversation_id).update)(open_balance="85.00")
    return reference


async def test_an_unverified_visitor_is_told_nothing_until_the_code() -> None:
    """The question is not answered but by asking who they are; with the code, the record opens."""
    reference = await known_jane()
    stranger = Line()
    asked = await stranger.say("What do you have on my account?")
    assert "code" in asked
    sent = await stranger.say(ADDRESS)
    missed = await stranger.say(wrong(mailed()))
    for words in (asked, sent, missed):
        assert reference not in words
        assert "85" not in words
    told = await stranger.say(mailed())
    assert reference in told
    assert "£85" in told
    assert "confirmed" in told


async def test_what_is_said_is_the_same_whether_or_not_there_is_a_record() -> None:
    """An address nobody has is answered in the same words, up to the right code."""
    await known_jane()
    heard = []
    for address in (ADDRESS, "nobody@example.org"):
        line = Line()
        heard.append([await line.say("what is on my account?"), await line.say(address), await line.say(wrong(mailed()))])
    assert heard[0] == heard[1]


async def test_a_caller_proves_the_number_by_text_message() -> None:
    """The code is texted to the number that calls and keyed in; another one's record stays closed."""
    reference = await known_jane()
    call = Line("voice", party="+447700900456")
    await call.begin()
    asked = await call.say("what is on my account")
    assert "07700 900456" in asked
    assert "key it in" in await call.say("yes please")
    told = await call.say(code_in(TEXTED[-1]))
    assert "no visit coming up" in told
    assert reference not in told


@pytest.mark.parametrize("words", ["yes text me a code", "yes text it to me please", "send me a code", "okay can you text that to me"])
async def test_a_yes_that_says_what_it_is_to_is_a_yes(words: str) -> None:
    """Asked whether a code may be texted to the number that calls: no wish for a person, and none for a link to the chat."""
    call = Line("voice", party="+447700900456")
    await call.begin()
    await call.say("what is on my account")
    assert "key it in" in await call.say(words)
    assert code_in(TEXTED[-1])


async def test_a_link_is_still_had_where_a_code_was_offered() -> None:
    """It is named."""
    call = Line("voice", party="+447700900456")
    await call.begin()
    await call.say("what is on my account")
    assert "I have sent a link" in await call.say("text me a link to the chat")


CANNOT_IN_SPANISH = ("No tengo correo ni móvil", "no tengo acceso a mi correo y he perdido el móvil", "¿hay otra forma?")


@pytest.mark.parametrize("words", CANNOT_IN_SPANISH)
async def test_who_can_have_no_code_says_so_in_spanish(words: str) -> None:
    """And is asked for what shows who they are; what introduces a fact is no name."""
    reference = await known_jane()
    await jane_is_known_by(name="Juan García Pérez", postcode="HB14QT", date_of_birth="1980-05-17")
    chat = Line()
    asked = await chat.say("¿Qué hay en mi cuenta?")
    assert "código de seis cifras" in asked
    assert "no tengo respuesta" not in asked
    assert "nombre completo" in await chat.say(words)
    assert reference in await chat.say("Me llamo Juan García Pérez, nací el 17 de mayo de 1980 y mi código postal es HB1 4QT")


OTHER_CODE = ("código nuevo", "no me ha llegado el código", "envíeme otro código", "reenvíelo por favor", "no me llega ningún código")


@pytest.mark.parametrize("words", OTHER_CODE)
async def test_another_code_is_had_in_the_words_that_the_ai_agent_names(words: str) -> None:
    """“Diga «código nuevo» si no le ha llegado.”"""
    chat = Line()
    await chat.say("¿Qué hay en mi cuenta?")
    await chat.say(ADDRESS)
    first = mailed()
    assert "Le llegará un código" in await chat.say(words)
    assert mailed() != first


async def test_a_caller_proves_an_address_and_hears_of_the_visit_booked_in_the_chat() -> None:
    """The same record on both channels, once it is known who this is."""
    reference = await known_jane()
    call = Line("voice", party="+447700900457")
    await call.begin()
    await call.say("what is on my account")
    assert "Which email address" in await call.say("no")
    assert "email address you gave me" in await call.say("jane at example dot org")
    assert reference in await call.say(mailed())


async def test_a_first_call_that_proves_an_address_nobody_has_is_one_record() -> None:
    """Having said the address before proving it does not make the number's record somebody else's."""
    call = Line("voice", party="+447700900811")
    await call.begin()
    await call.say("when is my visit")
    await call.say("no")
    await call.say("jane at example dot org")
    assert "confirmed" in await call.say(mailed())
    record = await Customer.objects.aget()
    kept = record.identifiers.order_by("kind").values_list("kind", "value", "assurance")
    assert [each async for each in kept] == [("email", ADDRESS, "verified"), ("phone", "+447700900811", "network_hint")]
    assert not await MatchCandidate.objects.aexists()


async def test_a_name_said_with_an_address_names_the_record() -> None:
    """Whichever of the two is learned first."""
    call = Line("voice", party="+447700900813")
    await call.begin()
    await call.say("my name is Zebulon Quark and my email is zebulon at example dot org")
    assert (await Customer.objects.aget()).name == "Zebulon Quark"


async def test_a_proven_customer_moves_a_visit_of_an_earlier_conversation() -> None:
    """The wish to cancel begins the asking, and goes on by itself once it is known who this is."""
    reference = await known_jane()
    line = Line()
    asked = await line.say("I need to cancel my appointment")
    assert "code" in asked
    await line.say(ADDRESS)
    offered = await line.say(mailed())
    assert reference in offered
    assert "Shall I cancel" in offered
    assert "is cancelled" in await line.say("Yes")
    assert (await Booking.objects.aget(reference=reference)).state == "cancelled"


async def test_five_wrong_codes_end_it_and_a_new_one_is_sent_on_request() -> None:
    """The old code is worth nothing any more, the new one is."""
    line = Line()
    await line.say("what is on my account?")
    await line.say(ADDRESS)
    code = mailed()
    for _ in range(5):
        await line.say(wrong(code))
    assert "confirmed" not in await line.say(code)
    await line.say("new code please")
    assert "confirmed" in await line.say(mailed())


async def test_the_code_and_the_address_are_not_kept_with_the_tools() -> None:
    """The history of tools has neither."""
    line = Line()
    await line.say("what is on my account?")
    await line.say(ADDRESS)
    code = mailed()
    await line.say(code)
    kept = [str(entry.data) for entry in await line.entries("tool.called")]
    assert kept
    assert not any(code in data or ADDRESS in data for data in kept)


async def test_a_code_goes_only_where_this_party_said() -> None:
    """An address that another party of the record gave is not offered, and the guard refuses it."""
    await known_jane()
    line = Line()
    asked = await line.say("what is on my account?")
    assert ADDRESS not in asked
    assert ADDRESS not in line.choices


async def test_it_can_be_dropped_and_leads_to_a_person() -> None:
    """“Never mind” ends it; not getting further offers a person."""
    line = Line()
    await line.say("what is on my account?")
    assert "stopped" in await line.say("never mind")
    await line.say("what is on my account?")
    said = [await line.say(words) for words in ("a blue house", "a green house", "a red house", "a house")]
    assert any("person" in words for words in said)


@pytest.mark.parametrize(
    "words",
    ["How do I pay my bill?", "What does a boiler service cost?", "Do you have a visit free tomorrow?", "My boiler has no pressure"],
)
async def test_other_questions_ask_nobody_who_they_are(words: str) -> None:
    """Only what is of one's own record does."""
    line = Line()
    assert "code" not in await line.say(words)
    assert not await Entry.objects.filter(kind="identity.code_sent").aexists()


async def jane_is_known_by(**changes: object) -> None:
    """What the company knows of Jane beside her address."""
    customer = await Customer.objects.aget(identifiers__value=ADDRESS, identifiers__assurance="verified")
    await sync_to_async(Customer.objects.filter(pk=customer.pk).update)(**changes)


async def answers(line: Line, name: str, postcode: str, born: str, *, wish: str = "what is on my account") -> str:
    """Asks for the account or another wish, has no code sent, and answers what is asked; returns the last words heard."""
    given = {"name": name, "postcode": postcode, "birth": born}
    await line.say(wish)
    heard = await line.say("I do not have a mobile or an email address")
    for _ in range(3):
        asked = next((fact for fact in given if fact in heard), None)
        if asked is None:
            break
        heard = await line.say(given[asked])
    return heard


async def test_right_answers_open_the_visits_and_nothing_else() -> None:
    """Where no code can reach them, and as far as the playbook says: the visit, not what is owed."""
    reference = await known_jane()
    await jane_is_known_by(name="Jane Doe", postcode="HB14QT", date_of_birth="1980-05-17")
    call = Line("voice", party="+441632960777")
    await call.begin()
    told = await answers(call, "Jane Doe", "HB1 4QT", "the seventeenth of May 1980")
    assert reference in told
    assert "£85" not in told
    assert "You owe" not in told
    assert (await call.interaction()).assurance == "knowledge"


IN_ONE_BREATH = {
    "as asked": "Mary O'Connor, born thirtieth of November nineteen ninety, postcode HB one four E F",
    "the other way round": "postcode HB one four E F, born thirtieth of November nineteen ninety, Mary O'Connor",
    "typed": "HB14EF 30/11/1990 Mary O'Connor",
}


async def mary_is_known() -> str:
    """A customer who can be asked for name, postcode and birthday; returns her visit's reference."""
    reference = await known_jane()
    await jane_is_known_by(name="Mary O'Connor", postcode="HB14EF", date_of_birth="1990-11-30")
    return reference


async def is_asked(channel: str) -> tuple[Line, str]:
    """A line on which no code can be had, and the first question."""
    line = Line("voice", party="+441632960766") if channel == "voice" else Line()
    if channel == "voice":
        await line.begin()
    await line.say("what is on my account")
    return line, await line.say("I do not have a mobile or an email address")


@pytest.mark.parametrize("channel", ["chat", "voice"])
@pytest.mark.parametrize("words", IN_ONE_BREATH.values(), ids=IN_ONE_BREATH)
async def test_all_that_is_told_in_one_breath_counts_in_any_order(channel: str, words: str) -> None:
    """Nothing is asked for again that was said already, and none of it becomes a day for a visit."""
    reference = await mary_is_known()
    line, asked = await is_asked(channel)
    assert "full name" in asked
    assert reference in await line.say(words)
    learned = {entry.data["name"] for entry in await line.entries("fact.learned") if entry.interaction_id == line.interaction_id}
    assert not learned & {"date", "time_window", "date_of_birth"}


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_only_what_is_missing_is_asked_for(channel: str) -> None:
    """A fact that comes out of turn is kept for its own question, and the one that was asked for is asked for again."""
    reference = await mary_is_known()
    line, _asked = await is_asked(channel)
    assert "full name" in await line.say("I was born on the thirtieth of November nineteen ninety")
    assert "postcode" in await line.say("Mary O'Connor")
    assert reference in await line.say("it is H B 1 4 E F")


async def test_what_came_in_two_messages_is_read_together() -> None:
    """Somebody who sends before the answer has come is not asked again."""
    reference = await mary_is_known()
    line, _asked = await is_asked("chat")
    await line.send("Mary O'Connor")
    assert "postcode" in await line.say("30 November 1990")
    assert reference in await line.say("HB1 4EF")


async def test_the_same_fact_told_over_and_over_leads_to_a_person() -> None:
    """Instead of the same question for ever."""
    await mary_is_known()
    line, _asked = await is_asked("chat")
    said = [await line.say("my postcode is HB1 4EF") for _ in range(4)]
    assert any("person" in words for words in said)


async def test_wrong_answers_and_no_record_are_the_same_to_the_caller() -> None:
    """Nothing says whether there is such a person."""
    reference = await known_jane()
    await jane_is_known_by(name="Jane Doe", postcode="HB14QT", date_of_birth="1980-05-17")
    heard = []
    for name, number in (("Jane Doe", 778), ("Xaver Quisling", 779)):
        call = Line("voice", party=f"+441632960{number}")
        await call.begin()
        heard.append(await answers(call, name, "HB1 4QT", "the first of January 1971"))
    assert heard[0] == heard[1]
    assert reference not in heard[0]


async def test_guessing_answers_ends_after_three_tries_on_a_line_and_five_about_a_record() -> None:
    """Then even right answers open nothing."""
    await known_jane()
    await jane_is_known_by(name="Jane Doe", postcode="HB14QT", date_of_birth="1980-05-17")
    for number in range(3):
        call = Line("voice", party=f"+44163296078{number}")
        await call.begin()
        for day in ("first", "second", "third"):
            assert "confirmed" not in await answers(call, "Jane Doe", "HB1 4QT", f"the {day} of January 1971")
        assert "confirmed" not in await answers(call, "Jane Doe", "HB1 4QT", "the seventeenth of May 1980")
    call = Line("voice", party="+441632960799")
    await call.begin()
    assert "confirmed" not in await answers(call, "Jane Doe", "HB1 4QT", "the seventeenth of May 1980")


async def test_a_no_with_a_question_behind_it_is_no_goodbye(chat: Line) -> None:
    """“No thanks” to what the greeting asked, and a question in the same breath: the question is what counts."""
    assert "call again" not in await chat.say("no thanks, I want to know when my visit is")
    assert "call again" in await Line().say("no thanks")


async def test_a_caller_hears_of_the_visit_once_the_code_texted_to_their_number_is_said() -> None:
    """The number that a later call shows is offered, though it was said on another line; it opens nothing by itself."""
    number = "+447700900188"
    first = Line("voice", party=number)
    await first.begin()
    reference = await books_a_visit(first)
    later = Line("voice", party=number)
    await later.begin()
    asked = await later.say("When is my visit?")
    assert "07700 900188" in asked
    assert reference not in asked
    await later.say("Yes")
    assert reference in await later.say(code_in(TEXTED[-1]))


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_who_has_just_proven_an_identifier_hears_of_a_visit_from_a_conversation_that_is_closed(channel: str) -> None:
    """In the very turn in which the code is right: what was known of the line before it no longer counts."""
    number = "+447700900177"
    earlier = Line("voice", party=number)
    await earlier.begin()
    reference = await books_a_visit(earlier)
    await sync_to_async(_close)(earlier.conversation_id)
    later = Line("chat") if channel == "chat" else Line("voice", party=number)
    if channel == "voice":
        await later.begin()
    asked = await later.say("When is my visit?")
    await later.say("Yes" if "Shall I?" in asked else number)
    told = await later.say(code_in(TEXTED[-1]))
    assert later.conversation_id != earlier.conversation_id
    assert reference in told


def _close(conversation_id: int) -> None:
    conversation = Conversation.objects.get(pk=conversation_id)
    for line in conversation.interactions.all():
        threads.end_interaction(line, reason="hung_up")
    threads.close(conversation, actor_kind="system", actor_name="", disposition=None)


async def test_a_yes_to_carrying_on_with_a_chat_opens_nothing_of_it() -> None:
    """Whoever shows the number that a chat gave can say yes: they are told nothing of it, and book nothing in its name."""
    chat = Line()
    reference = await books_a_visit(chat)
    caller = Line("voice", party="+447700900123")
    await caller.begin()

    def says_yes() -> None:
        with transaction.atomic():
            joining.join(
                Interaction.objects.get(pk=caller.interaction_id),
                Conversation.objects.get(pk=chat.conversation_id),
                method="yes",
                sentence="The caller said yes.",
            )

    await sync_to_async(says_yes)()
    heard = [await caller.say(words) for words in ("which visit have I got", "please book that visit", "yes", "the first one", "yes")]
    # What a postcode looks like is told everybody by the same example.
    told = " ".join(heard).replace("one looks like HB1 4QT", "")
    assert not any(secret in told for secret in (reference, "Jane", "HB1 4QT", "November"))
    assert await Booking.objects.acount() == 1


async def test_a_listed_address_is_answered_like_any_other_and_nothing_is_sent() -> None:
    """Whoever asks cannot find out who wants no contact; staff read that nothing was sent."""
    await sync_to_async(suppression.suppress)("email", "quiet@example.org", reason="Asked us.", added_by="Maya")
    heard = []
    for address in ("quiet@example.org", "other@example.org"):
        line = Line()
        heard.append([await line.say("what is on my account?"), await line.say(address), await line.say("123456")])
        sent = [message.to for message in mail.outbox]
        assert ([address] in sent) == (address == "other@example.org")
    assert heard[0] == heard[1]
    assert await Entry.objects.filter(kind="identity.code_sent", body__contains="not sent").acount() == 1


async def test_after_right_answers_what_they_do_not_open_is_had_with_a_code_and_never_in_circles() -> None:
    """The same question is answered the same way again, and a birthday is no day for a visit."""
    reference = await known_jane()
    await jane_is_known_by(name="Jane Doe", postcode="HB14QT", date_of_birth="1980-05-17")
    call = Line("voice", party="+441632960770")
    await call.begin()
    await answers(call, "Jane Doe", "HB1 4QT", "the seventeenth of May 1980")
    learned = {entry.data["name"] for entry in await call.entries("fact.learned") if entry.interaction_id == call.interaction_id}
    assert not learned & {"date", "time_window", "date_of_birth"}
    for _ in range(2):
        told = await call.say("what do I owe you")
        assert reference in told
        assert "send me a code" in told
        assert "confirmed" not in told
    assert "code" in await call.say("send me a code")
    await call.say(ADDRESS)
    assert "£85" in await call.say(mailed())


@pytest.mark.parametrize("channel", ["chat", "voice"])
@pytest.mark.parametrize("words", ["I dont have a code", "i cant get a code", "i cant receive texts", "i lost my phone"])
async def test_who_can_get_no_code_is_asked_something_else(channel: str, words: str) -> None:
    """Also with the mark left out, as people type."""
    line = Line(channel=channel)
    if channel == "voice":
        await line.begin()
    await line.say("i want to move my visit")
    assert "What is your full name?" in await line.say(words)


@pytest.mark.parametrize("channel", ["chat", "voice"])
@pytest.mark.parametrize("words", ["nothing works", "i dont remember anything", "for gods sake", "this is ridiculous"])
async def test_who_gets_no_further_is_offered_a_person(channel: str, words: str) -> None:
    """At once, whether a code or an answer is waited for."""
    line = Line(channel=channel)
    if channel == "voice":
        await line.begin()
    await line.say("i want to move my visit")
    assert "person" in await line.say(words)
    await line.say("no")
    await line.say("i want to move my visit")
    await line.say("i have no email or phone")
    assert "person" in await line.say(words)


async def test_who_remembers_nothing_in_spanish_is_offered_a_person() -> None:
    line = Line()
    await line.say("quiero cambiar mi visita")
    assert "persona" in await line.say("no recuerdo nada")


async def test_a_code_that_never_comes_is_not_sent_for_ever() -> None:
    """The second time it is said that it goes to the same place; then something else is asked."""
    await known_jane()
    line = Line()
    await line.say("i want to move my visit")
    await line.say(ADDRESS)
    assert "goes to the same place" in await line.say("no code came")
    assert "What is your full name?" in await line.say("still nothing came")


@pytest.mark.parametrize(
    ("wanted", "stuck", "said", "told"),
    [
        ("i want to cancel my visit", "i have no phone", "sam@example.com", "code"),
        ("i want to cancel my visit", "i have no phone", "my email is sam@example.com", "code"),
        ("quiero anular mi visita", "no tengo teléfono", "mi correo es sam@example.com", "código"),
    ],
)
async def test_who_gives_an_address_after_all_gets_a_code(wanted: str, stuck: str, said: str, told: str) -> None:
    line = Line()
    await line.say(wanted)
    assert "name" in await line.say(stuck) or "nombre" in line.replies[-1].body
    assert told in await line.say(said)
