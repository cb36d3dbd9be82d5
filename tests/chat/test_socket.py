"""The chat socket, frame by frame, as a widget and as somebody who means harm."""

from __future__ import annotations

import asyncio
import json

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import transaction
from pytest_django import Settings

from conversations.assistant import turn
from conversations.chat import visitor
from conversations.models import ChatSessionRecord, Conversation, Customer, CustomerLink, Entry, EntryPoint, Interaction
from conversations.services import announce, merging, roll_out, speaking, threads, timeline, weaving
from conversations.services.timeline import NewEntry
from tests.record import rows
from tests.support.locks import locked, until, waits_for_lock
from tests.support.sockets import SocketClosed, open_widget

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def harbor() -> None:
    """The company's web page and its number; every need goes to a person."""
    rows.entry_point()
    rows.phone_line()
    rows.everybody_to_people()


@database_sync_to_async
def messages_of(client_id: str) -> list[Entry]:
    return list(Entry.objects.filter(kind="message", data__client_id=client_id).order_by("pk"))


@database_sync_to_async
def the_conversation() -> Conversation:
    return Conversation.objects.get()


async def test_a_message_is_acknowledged_with_its_place_and_stored_once() -> None:
    """The ack carries the entry's seq; the disclosure stands before the customer's first words."""
    async with open_widget() as widget:
        welcome = await widget.hello()
        ack = await widget.say("My boiler is cold", client_id="one")
        assert ack["type"] == "ack"
        assert welcome["company"] == "Harbor Home Services"
        assert "AI" in welcome["greeting"]
        kinds = [entry["kind"] for entry in widget.entries if entry["seq"] <= ack["seq"]]
        assert kinds == ["interaction.started", "disclosure.shown", "message"]
    stored = await messages_of("one")
    assert [(entry.seq, entry.body) for entry in stored] == [(ack["seq"], "My boiler is cold")]


async def test_sending_again_changes_nothing() -> None:
    """The same client_id on the same socket, and on a new one, is acknowledged with the same place."""
    async with open_widget() as widget:
        welcome = await widget.hello()
        first = await widget.say("Hello", client_id="one")
        again = await widget.say("Hello", client_id="one")
    async with open_widget() as widget:
        await widget.hello(token=welcome["token"], session=welcome["session"])
        later = await widget.say("Hello", client_id="one")
    assert first["seq"] == again["seq"] == later["seq"]
    assert len(await messages_of("one")) == 1


async def test_a_reload_resumes_by_seq() -> None:
    """A new socket with the token gets what comes after the seq it names, and nothing twice."""
    async with open_widget() as widget:
        welcome = await widget.hello()
        await widget.say("First", client_id="one")
        second = await widget.say("Second", client_id="two")
    async with open_widget() as widget:
        place = {"conversation": (await the_conversation()).public_id.hex, "after": second["seq"] - 1}
        await widget.hello(token=welcome["token"], session=welcome["session"], **place)
        assert next(entry["body"] for entry in widget.entries if entry["kind"] == "message") == "Second"  # an answer may have followed
        assert widget.frames[-1]["upto"] >= second["seq"]


async def test_a_seq_of_another_conversation_hides_nothing() -> None:
    """A widget that slept while its chat went on elsewhere names the old conversation, and is told the new one whole."""
    async with open_widget() as widget:
        welcome = await widget.hello()
        await widget.say("First", client_id="one")
    async with open_widget() as widget:
        known = {"token": welcome["token"], "session": welcome["session"]}
        await widget.hello(**known, conversation="0" * 32, after=1_000_000)
        assert next(entry["body"] for entry in widget.entries if entry["kind"] == "message") == "First"  # an answer may have followed
        assert widget.frames[-1]["conversation"] == (await the_conversation()).public_id.hex


async def test_what_is_written_while_saying_hello_is_shown() -> None:
    """The socket listens before it reads, so a push that comes while it reads is shown, too."""
    async with open_widget() as widget:
        welcome = await widget.hello()
        await widget.say("First", client_id="one")
        entry = await widget.wait_for_entry(lambda entry: entry["body"] == "First")
    await turn.schedule((await the_conversation()).pk)
    conversation = await the_conversation()
    public_hex = conversation.public_id.hex
    newer = {**entry, "seq": conversation.last_seq + 1, "body": "Written meanwhile", "audience": "everyone"}
    async with open_widget() as widget:
        with locked("conversations_entry"):
            await widget.send(type="hello", token=welcome["token"], session=welcome["session"], after=0)
            await asyncio.to_thread(until, lambda: waits_for_lock("conversations_entry"))
            await announce.send(announce.conversation_group(public_hex), announce.entries_frame(public_hex, [newer]))
        await widget.wait_for_entry(lambda entry: entry["body"] == "Written meanwhile")
    bodies = [entry["body"] for entry in widget.entries if entry["kind"] == "message"]
    assert (bodies[0], bodies[-1]) == ("First", "Written meanwhile")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "not_json"),
        ("[]", "not_json"),
        ('"hello"', "not_json"),
        ("[" * 5000, "not_json"),
        ('{"type": "dance"}', "unknown_type"),
        ('{"type": null}', "unknown_type"),
        ('{"type": "message", "text": "no id"}', "no_client_id"),
        ('{"type": "message", "client_id": "../../x", "text": "bad id"}', "no_client_id"),
        ('{"type": "message", "client_id": {"a": 1}, "text": "bad id"}', "no_client_id"),
        ('{"type": "message", "client_id": "a", "text": 5}', "no_text"),
        ('{"type": "message", "client_id": "a", "text": "  \\u0000 "}', "empty"),
        ('{"type": "message", "client_id": "a", "text": "\\ud800"}', "not_unicode"),
        (json.dumps({"type": "message", "client_id": "a", "text": "x" * 4001}), "too_long"),
        (json.dumps({"type": "message", "client_id": "a", "text": "x" * 1_000_000}), "too_long"),
    ],
)
async def test_bad_frames_are_refused_with_a_reason_and_the_socket_lives(frame: str, code: str) -> None:
    """Whatever comes, the answer says what was wrong, nothing is written, and the next message goes through."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.socket.send_text(frame)
        refusal = await widget.wait_for(lambda frame: frame["type"] in ("error", "refused"))
        assert refusal["code"] == code
        assert refusal["reason"].endswith(".")
        assert not await database_sync_to_async(Entry.objects.exists)()
        assert (await widget.say("Still here", client_id="after"))["type"] == "ack"


async def test_binary_frames_are_refused() -> None:
    """A binary frame is answered like any other that is not understood."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.socket.send_bytes(b"\x00\xff")
        assert (await widget.wait_for(lambda frame: frame["type"] == "error"))["code"] == "not_text"


async def test_nothing_is_taken_before_hello() -> None:
    """A message from nobody is refused and kept by the widget."""
    async with open_widget() as widget:
        refused = await widget.say("Hi", client_id="one")
        assert (refused["type"], refused["code"]) == ("refused", "no_hello")


async def test_null_bytes_and_card_numbers_are_not_stored() -> None:
    """A card number is masked before it is stored or shown; a null byte is dropped."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("pay\u0000 with 4111 1111 1111 1111, cvv 123", client_id="one")
        entry = await widget.wait_for_entry(lambda entry: entry["kind"] == "message")
    assert entry["body"] == "pay with •••• •••• •••• 1111, cvv •••"
    assert [each.body for each in await messages_of("one")] == [entry["body"]]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("4111 1111 1111 1111 12/27 123", "•••• •••• •••• 1111 12/27 •••"),
        ("1 4111111111111111", "1 •••• •••• •••• 1111"),
        ("4111 - 1111 - 1111 - 1111", "•••• •••• •••• 1111"),
        ("4111\u20131111\u20131111\u20131111", "•••• •••• •••• 1111"),
        ("4111\u00a01111\u00a01111\u00a01111", "•••• •••• •••• 1111"),
        ("07700 900123 07700 900456", "07700 900123 07700 900456"),
        ("ring me on +49 151 1234 5678", "ring me on +49 151 1234 5678"),
        ("+4111111111111111", "+•••• •••• •••• 1111"),
    ],
)
async def test_card_numbers_are_masked_however_they_stand(text: str, stored: str) -> None:
    """With the date behind, with any kind of space or dash between; two phone numbers are no card."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say(text, client_id="one")
    assert [each.body for each in await messages_of("one")] == [stored]


async def test_a_message_is_known_again_by_an_id_that_looks_like_a_card() -> None:
    """Whatever digits a client_id is made of, the screen gets it back as it was."""
    client_id = "4111-1111-1111-1111"
    async with open_widget() as widget:
        await widget.hello()
        assert (await widget.say("Hello", client_id=client_id))["client_id"] == client_id
        entry = await widget.wait_for_entry(lambda entry: entry["body"] == "Hello")
    assert entry["data"]["client_id"] == client_id


@pytest.mark.parametrize("number", ["\x00", "\ud800", "1", "x" * 16])
async def test_a_session_that_was_never_given_out_is_not_taken(number: str) -> None:
    """A made-up session id gets a new session, whatever is in it, and the chat works."""
    async with open_widget() as widget:
        welcome = await widget.hello()
        made_up = f"{welcome['session'].partition('.')[0]}.{number}"
        again = await widget.hello(token=welcome["token"], session=made_up)
        assert again["session"] not in (made_up, welcome["session"])
        assert (await widget.say("Hello", client_id="one"))["type"] == "ack"


async def test_saying_hello_too_often_is_refused() -> None:
    """A hello costs as much as a message, so it counts as one."""
    async with open_widget() as widget:
        for _number in range(30):
            await widget.send(type="hello", token=None, session=None, after=0)
        assert (await widget.wait_for(lambda frame: frame["type"] == "error"))["code"] == "too_fast"


async def test_what_another_party_of_the_conversation_gave_is_not_shown() -> None:
    """Neither the name that is on the record now nor a reply that is being written for another line."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Hello", client_id="one")
        conversation = await the_conversation()
        await database_sync_to_async(Customer.objects.update)(name="John Victim")
        for interaction, text in (("00000000-0000-4000-8000-000000000000", "for the caller"), (None, "for all")):
            await announce.send(
                announce.conversation_group(conversation.public_id.hex),
                announce.activity(conversation.public_id.hex, who="assistant", name="", what="draft", text=text, interaction=interaction),
            )
        draft = await widget.wait_for(lambda frame: frame["type"] == "activity" and frame["what"] == "draft")
        assert draft["text"] == "for all"
        await widget.say("Hello again", client_id="two")
        await widget.wait_for_entry(lambda entry: entry["data"].get("client_id") == "two")
        await widget.send(type="resume", after=0)
        await widget.wait_for(lambda frame: frame["type"] == "entries" and len(frame["entries"]) > 2)
        assert "John Victim" not in json.dumps(widget.frames)


async def test_a_chat_follows_its_conversation_into_another() -> None:
    """After a join the open screen hears what is said to it where it goes on."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Hello", client_id="one")
        chat = await the_conversation()
        await database_sync_to_async(_join_elsewhere_and_answer)(chat)
        assert await widget.wait_for_entry(lambda entry: entry["body"] == "We go on here.")


async def test_a_reload_shows_what_was_written_before_a_join() -> None:
    """The page is loaded anew after the chat went on elsewhere: its earlier words stand first, and nothing is shown twice."""
    async with open_widget() as widget:
        welcome = await widget.hello()
        await widget.say("Hello", client_id="one")
        chat = await the_conversation()
        await database_sync_to_async(_join_elsewhere_and_answer)(chat)
    known = {"token": welcome["token"], "session": welcome["session"]}
    async with open_widget() as widget:
        await widget.send(type="hello", **known, conversation=None, after=0)
        await widget.wait_for(lambda frame: "We go on here." in json.dumps(frame))
        frames = [frame for frame in widget.frames if frame["type"] == "entries"]
        shown = [(frame["conversation"], each["body"]) for frame in frames for each in frame["entries"]]
        place = widget.frames[-1]["conversation"]
    assert [body for _conversation, body in shown if body in ("Hello", "We go on here.")] == ["Hello", "We go on here."]
    assert (chat.public_id.hex, "Hello") in shown
    async with open_widget() as widget:
        await widget.send(type="hello", **known, conversation=place, after=0)
        await widget.wait_for(lambda frame: "We go on here." in json.dumps(frame))
        assert not [frame for frame in widget.frames if frame.get("conversation") == chat.public_id.hex]


async def test_a_chat_follows_its_conversation_out_of_another_again() -> None:
    """Records that staff had joined are separated: the open screen hears what is said where its line is back."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Hello", client_id="one")
        chat = await the_conversation()
        link = await database_sync_to_async(_join_records)(chat)
        await widget.say("Are you there?", client_id="two")
        await database_sync_to_async(merging.separate_customers)(link, undone_by="staff")
        await database_sync_to_async(_answer)(chat, chat)
        assert await widget.wait_for_entry(lambda entry: entry["body"] == "We go on here.")
        again = await widget.say("Good", client_id="three")
        assert again["type"] == "ack"
    assert (await messages_of("three"))[0].conversation_id == chat.pk


def _join_records(chat: Conversation) -> CustomerLink:
    return merging.join_customers(chat.customer, rows.conversation().customer, evidence={}, made_by="staff")


def _join_elsewhere_and_answer(chat: Conversation) -> None:
    other = rows.conversation()
    with transaction.atomic():
        weaving.join_conversations(chat, other, evidence={}, made_by="staff", sentence="Joined.")
    _answer(chat, other)


def _answer(chat: Conversation, place: Conversation) -> None:
    interaction = Interaction.objects.get(original_conversation=chat)
    timeline.append(place.pk, NewEntry(kind="message", actor_kind="agent", body="We go on here.", interaction=interaction))


async def test_a_flood_is_refused_and_others_are_unharmed() -> None:
    """200 messages at once: some are taken, the rest refused by name; another customer's socket answers as ever."""
    async with open_widget() as flooder, open_widget() as other:
        await flooder.hello()
        await other.hello()
        for number in range(200):
            await flooder.send(type="message", client_id=f"flood-{number}", text="spam")
        assert (await other.say("I have a leak", client_id="other"))["type"] == "ack"
        refused = await flooder.wait_for(lambda frame: frame["type"] == "refused")
        assert refused["code"] == "too_fast"
    stored = await database_sync_to_async(Entry.objects.filter(kind="message", body="spam").count)()
    assert 0 < stored < 50


async def test_one_address_cannot_begin_chats_without_end(settings: Settings) -> None:
    """The third chat of an hour is refused with a reason; going on with one that began is not."""
    settings.CHAT_SESSIONS_PER_HOUR = 2
    for number in range(2):
        async with open_widget() as widget:
            await widget.hello()
            assert (await widget.say("Hello", client_id=f"chat-{number}"))["type"] == "ack"
            assert (await widget.say("Hello again", client_id=f"more-{number}"))["type"] == "ack"
    async with open_widget() as widget:
        await widget.hello()
        refused = await widget.say("Hello", client_id="chat-3")
    assert (refused["type"], refused["code"]) == ("refused", "too_many_chats")
    assert "an hour" in refused["reason"]
    assert await Customer.objects.acount() == 2


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_made_up_address_changes_nothing(settings: Settings, trusted: bool) -> None:
    """Whatever a client writes before the proxy's own entry, or without a proxy, it is counted under one address."""
    settings.CHAT_SESSIONS_PER_HOUR, settings.TRUST_PROXY_HEADERS = 1, trusted
    answers = []
    for number in range(2):
        async with open_widget(forwarded_for=f"198.51.100.{number}, 203.0.113.9") as widget:
            await widget.hello()
            answers.append((await widget.say("Hello", client_id=f"chat-{number}"))["type"])
    assert answers == ["ack", "refused"]


async def test_behind_a_proxy_each_client_is_counted_alone(settings: Settings) -> None:
    """The address that the proxy added counts."""
    settings.CHAT_SESSIONS_PER_HOUR, settings.TRUST_PROXY_HEADERS = 1, True
    for number in range(2):
        async with open_widget(forwarded_for=f"203.0.113.{number}") as widget:
            await widget.hello()
            assert (await widget.say("Hello", client_id=f"chat-{number}"))["type"] == "ack"


@pytest.mark.parametrize("token", ["", "x", "eyJ2aXNpdG9yIjogImEifQ:1abc:bad", "a" * 5000, 5, {"a": 1}])
async def test_an_altered_token_is_a_new_visitor(token: object) -> None:
    """A token that we did not sign names nobody: no history, a new token."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("My secret", client_id="one")
    async with open_widget() as stranger:
        await stranger.send(type="hello", token=token, session=widget.welcome["session"], after=0)
        welcome = await stranger.wait_for(lambda frame: frame["type"] == "welcome")
        entries = await stranger.wait_for(lambda frame: frame["type"] == "entries")
        assert entries["entries"] == []
        assert welcome["session"] != widget.welcome["session"]
        assert visitor.read(welcome["token"]) is not None


async def test_staff_entries_and_other_peoples_words_are_never_shown() -> None:
    """A note, a decision and another visitor's session in the same conversation stay unseen; upto moves past them."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Mine", client_id="one")
        conversation = await the_conversation()
        await database_sync_to_async(_write_what_the_party_must_not_see)(conversation)
        await widget.send(type="resume", after=0)
        last = await widget.wait_for(lambda frame: frame["type"] == "entries" and frame["upto"] >= conversation.last_seq)
        shown = json.dumps(widget.frames)
    assert "SECRET" not in shown
    assert last["upto"] > max(entry["seq"] for entry in widget.entries)


def _write_what_the_party_must_not_see(conversation: Conversation) -> None:
    other = rows.interaction(conversation, party="somebody-else")
    for new in (
        NewEntry(kind="note", actor_kind="agent", body="SECRET note", audience="staff"),
        NewEntry(kind="routing.decided", actor_kind="system", body="SECRET rule", audience="staff"),
        NewEntry(kind="message", actor_kind="customer", body="SECRET of another visitor", interaction=other),
        NewEntry(kind="fact.learned", actor_kind="system", body="SECRET fact"),
    ):
        timeline.append(conversation.pk, new)


async def test_a_lost_push_is_read_from_the_database() -> None:
    """An entry whose push never came is shown with the next one, in order."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Hello", client_id="one")
        conversation = await the_conversation()
        chat = await database_sync_to_async(Interaction.objects.get)()
        await database_sync_to_async(_append_unannounced)(conversation, chat, "lost push")
        await database_sync_to_async(timeline.append)(
            conversation.pk, NewEntry(kind="message", actor_kind="agent", body="pushed", interaction=chat)
        )
        await widget.wait_for_entry(lambda entry: entry["body"] == "pushed")
        bodies = [entry["body"] for entry in widget.entries]
    assert bodies.index("lost push") < bodies.index("pushed")


def _append_unannounced(conversation: Conversation, chat: Interaction, body: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM conversation_append(%s,'message','agent','Ann',%s,'{}','everyone',%s,NULL,NULL,FALSE)",
            [conversation.pk, body, chat.pk],
        )


async def test_a_repeated_push_is_shown_once() -> None:
    """The layer may deliver twice; the screen shows an entry once."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Hello", client_id="one")
        conversation = await the_conversation()
        entry = await widget.wait_for_entry(lambda entry: entry["body"] == "Hello")
        frame = announce.entries_frame(conversation.public_id.hex, [{**entry, "audience": "everyone"}])
        await get_channel_layer().group_send(announce.conversation_group(conversation.public_id.hex), frame)
        await widget.say("Next", client_id="two")
        await widget.wait_for_entry(lambda entry: entry["body"] == "Next")
        shown = [each["body"] for frame in widget.frames if frame["type"] == "entries" for each in frame["entries"]]
    assert shown.count("Hello") == 1


async def test_writing_after_the_end_opens_a_new_conversation() -> None:
    """After a conversation closed, the next message is a new session of a new conversation of the same customer."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Hello", client_id="one")
        conversation = await the_conversation()
        await database_sync_to_async(threads.close)(conversation, actor_kind="system", actor_name="", disposition=None)
        ack = await widget.say("One more thing", client_id="two")
        session = next(frame["session"] for frame in widget.frames if frame["type"] == "session")
        again = await widget.say("Hello", client_id="one")
    assert ack["type"] == again["type"] == "ack"
    assert session != widget.welcome["session"]
    assert await database_sync_to_async(Customer.objects.count)() == 1
    assert await database_sync_to_async(Conversation.objects.count)() == 2
    assert await database_sync_to_async(ChatSessionRecord.objects.count)() == 2
    assert len(await messages_of("one")) == 1


async def test_a_conversation_that_begins_anew_stands_as_it_does_and_not_as_the_last_one_ended() -> None:
    """After a conversation closed, the header is told who has the one that the next message began."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Hello", client_id="one")
        await database_sync_to_async(threads.close)(await the_conversation(), actor_kind="system", actor_name="", disposition=None)
        await widget.wait_for(lambda frame: frame["type"] == "state" and frame["owner"] == "closed")
        await widget.say("One more thing", client_id="two")
        stands = [frame["owner"] for frame in widget.frames if frame["type"] == "state"]
    assert stands[-1] != "closed"


async def test_open_chats_are_told_when_the_ai_agent_is_stopped_and_goes_on() -> None:
    """Nobody has to write first to learn that no AI agent answers any more."""
    async with open_widget() as widget:
        assert (await widget.hello())["answers"] == "assistant"
        await database_sync_to_async(roll_out.stop)(by="Mona", why="It promises refunds.")
        stopped = await widget.wait_for(lambda frame: frame["type"] == "answering")
        await database_sync_to_async(roll_out.start)(by="Mona")
        again = await widget.wait_for(lambda frame: frame["type"] == "answering")
    assert (stopped["answers"], again["answers"]) == ("people", "assistant")
    assert "AI" not in stopped["greeting"]
    assert again["greeting"] == widget.welcome["greeting"]


async def test_the_widget_speaks_the_language_of_the_conversation() -> None:
    """What is written in Spanish on an English page has the labels follow, in this tab and after a reload; back again, too."""
    conversation = None
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Hello", client_id="one")
        conversation = await the_conversation()
        line = await Interaction.objects.aget()
        await database_sync_to_async(speaking.choose)(conversation, "es", interaction=line, named="español")
        spanish = await widget.wait_for(lambda frame: frame["type"] == "language")
        await widget.send(type="person", client_id="two")
        asked = await widget.wait_for_entry(lambda entry: entry["data"].get("client_id") == "two")
        token = widget.welcome["token"]
    async with open_widget() as reloaded:
        await reloaded.hello(token=token)
        kept = next(frame for frame in reloaded.frames if frame["type"] == "language")
        await database_sync_to_async(speaking.choose)(conversation, "en", interaction=line, named="English")
        english = await reloaded.wait_for(lambda frame: frame["type"] == "language")
    assert (spanish["language"], spanish["texts"]["fieldSend"]) == ("es", "Continuar")
    assert asked["body"] == "Quiero hablar con una persona."
    assert kept == spanish
    assert english["language"].startswith("en")
    assert english["texts"]["fieldSend"] == "Continue"


async def test_a_language_that_is_chosen_before_the_socket_watches_is_caught_up_with() -> None:
    """As the turn on the first words may do, whose push then comes too early."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Hello", client_id="one")
        await database_sync_to_async(Conversation.objects.update)(language="es")
        await widget.send(type="resume", after=0)
        spanish = await widget.wait_for(lambda frame: frame["type"] == "language")
    assert spanish["texts"]["fieldSend"] == "Continuar"


async def test_first_messages_of_one_visitor_at_once_make_one_conversation() -> None:
    """Five tabs of one browser begin at the same instant: one customer, one open conversation, no hole in it."""
    browser = visitor.new()

    async def begin(number: int) -> None:
        async with open_widget() as widget:
            await widget.hello(token=browser.token)
            assert (await widget.say(f"Hello {number}", client_id=f"c{number}"))["type"] == "ack"

    await asyncio.gather(*(begin(number) for number in range(5)))
    conversation = await the_conversation()
    seqs = await database_sync_to_async(list)(conversation.entries.order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, conversation.last_seq + 1))
    assert await database_sync_to_async(Customer.objects.count)() == 1


async def test_the_code_for_the_phone_comes_once_something_was_said() -> None:
    """Before the first message there is nothing to carry on; afterwards the frame has number, code and expiry."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.send(type="continue_by_phone")
        assert (await widget.wait_for(lambda frame: frame["type"] == "error"))["code"] == "nothing_said"
        await widget.say("Hello", client_id="one")
        await widget.send(type="continue_by_phone")
        frame = await widget.wait_for(lambda frame: frame["type"] == "phone_code")
    assert frame["number"] == "+441632960100"
    assert len(frame["code"]) == 6
    assert frame["code"].isdigit()


async def test_an_unknown_door_and_a_foreign_page_are_turned_away() -> None:
    """A socket for an unknown page, for one whose chat is off, or from a site that may not show the widget, is closed with its own code."""
    async with open_widget("/nowhere") as widget:
        with pytest.raises(SocketClosed, match="4404"):
            await widget.socket.receive()
    await EntryPoint.objects.filter(address="/harborhome").aupdate(mode="off")
    async with open_widget("/harborhome") as widget:
        with pytest.raises(SocketClosed, match="4404"):
            await widget.socket.receive()
    await EntryPoint.objects.filter(address="/harborhome").aupdate(mode="live")
    async with open_widget(origin="https://evil.example") as widget:
        with pytest.raises(SocketClosed, match="4403"):
            await widget.socket.receive()
    async with open_widget(origin="http://testserver") as widget:
        assert (await widget.hello())["type"] == "welcome"


async def test_a_card_number_in_pieces_is_taken_out_on_the_screen_too() -> None:
    """The widget is sent the earlier pieces anew, without their words, under the numbers that it knows them by."""
    async with open_widget() as widget:
        await widget.hello()
        pieces = [await widget.say("4242 4242", client_id=name) for name in ("one", "two")]
        frame = await widget.wait_for(lambda frame: any(entry["redacted"] for entry in frame.get("entries") or []))
        [taken_out] = frame["entries"]
        assert (taken_out["seq"], taken_out["body"], taken_out["redacted"]) == (pieces[0]["seq"], "", True)
        assert frame["upto"] >= pieces[1]["seq"] - 1
        await widget.wait_for_entry(lambda entry: entry["seq"] == pieces[1]["seq"])
        assert "4242" not in json.dumps(widget.entries)
