"""What agents do, through HTTP."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.flows import takeover
from conversations.models import Conversation, Entry, Handoff, Interaction
from conversations.services import call_seats, call_state
from routing.models import AgentProfile, Presence, Queue, Reservation, WorkItem
from tests.inbox.conftest import Cast
from tests.voice.rest_side import serving

SOME_ID = "6f1f6f43-3f5e-4f3b-9b7f-0d6a6f9f3a10"
Offered = Callable[..., tuple[Conversation, Reservation]]


def post(browser: Client, name: str, conversation: Conversation, **fields: str) -> tuple[int, str]:
    answer = browser.post(reverse(f"inbox:{name}", args=[conversation.public_id]), fields)
    return answer.status_code, answer.content.decode()


def taken(cast: Cast, agent: AgentProfile) -> Conversation:
    conversation = cast.chat()
    takeover.take_over(conversation, agent)
    conversation.refresh_from_db()
    return conversation


def test_accepting_makes_the_agent_the_owner(live_cast: Cast, offered: Offered) -> None:
    """The offer is taken, the conversation opens, the AI agent is out from then on."""
    conversation, reservation = offered(live_cast.ann)
    answer = live_cast.client(live_cast.ann).post(reverse("inbox:accept", args=[reservation.pk]))
    assert answer.status_code == 204
    assert answer["X-Open"] == reverse("inbox:conversation", args=[conversation.public_id])
    conversation.refresh_from_db()
    assert conversation.owner_agent == live_cast.ann


def test_the_second_to_accept_is_told_in_a_sentence(live_cast: Cast, offered: Offered) -> None:
    """An offer is one agent's; whoever else tries, or comes too late, reads why nothing happened."""
    conversation, reservation = offered(live_cast.ann)
    address = reverse("inbox:accept", args=[reservation.pk])
    other = live_cast.client(live_cast.ben).post(address)
    assert (other.status_code, other.content.decode()) == (409, "This offer is not yours.")
    assert live_cast.client(live_cast.ann).post(address).status_code == 204
    late = live_cast.client(live_cast.ben).post(reverse("inbox:take-over", args=[conversation.public_id]))
    assert late.status_code == 409
    assert "Ann has this conversation" in late.content.decode()
    conversation.refresh_from_db()
    assert conversation.owner_agent == live_cast.ann


def test_accepting_twice_is_accepting_once(live_cast: Cast, offered: Offered) -> None:
    """A double click, both on their way at once, and a third: the agent joins once, and the AI agent is stopped once."""
    conversation, reservation = offered(live_cast.ann)
    address = reverse("inbox:accept", args=[reservation.pk])

    def press(browser: Client) -> int:
        try:
            return browser.post(address).status_code
        finally:
            connection.close()

    browsers = [live_cast.client(live_cast.ann) for _press in range(2)]
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(press, browsers)) == [204, 204]
    assert press(browsers[0]) == 204
    fence = conversation.fence
    conversation.refresh_from_db()
    assert conversation.fence == fence + 1
    assert Entry.objects.filter(conversation=conversation, kind="handoff.accepted").count() == 1
    assert Handoff.objects.filter(conversation=conversation, accepted_at__isnull=True).count() == 0


def test_an_offer_that_ran_out_is_refused_with_the_reason(live_cast: Cast, offered: Offered) -> None:
    """Pressing accept too late says that the time has run out."""
    _conversation, reservation = offered(live_cast.ann)
    Reservation.objects.filter(pk=reservation.pk).update(expires_at=reservation.offered_at)
    answer = live_cast.client(live_cast.ann).post(reverse("inbox:accept", args=[reservation.pk]))
    assert answer.status_code == 409
    assert "run out" in answer.content.decode()


def test_declining_gives_the_work_back(live_cast: Cast, offered: Offered) -> None:
    """A declined offer waits again, in its place."""
    conversation, reservation = offered(live_cast.ann)
    answer = live_cast.client(live_cast.ann).post(reverse("inbox:decline", args=[reservation.pk]))
    assert answer.status_code == 204
    reservation.refresh_from_db()
    assert reservation.state == Reservation.State.REJECTED
    work = WorkItem.objects.get(subject=conversation.public_id.hex)
    assert work.state in (WorkItem.State.QUEUED, WorkItem.State.RESERVED)
    assert Conversation.objects.get(pk=conversation.pk).owner_kind == "assistant"


def test_the_owner_answers_once_however_often_it_is_sent(cast: Cast) -> None:
    """The same `client_id` again writes nothing and answers the same seq."""
    conversation = taken(cast, cast.ann)
    browser, client_id = cast.client(cast.ann), str(uuid.uuid4())
    first = post(browser, "say", conversation, text="I am Ann. I help you now.", client_id=client_id)
    again = post(browser, "say", conversation, text="I am Ann. I help you now.", client_id=client_id)
    assert (first[0], again[0], first[1]) == (201, 200, again[1])
    assert Entry.objects.filter(conversation=conversation, kind="message", actor_kind="agent").count() == 1


def test_only_the_owner_answers_but_any_agent_notes(cast: Cast) -> None:
    """A colleague is told whose it is; their note is stored for staff only."""
    conversation = taken(cast, cast.ann)
    browser = cast.client(cast.ben)
    status, sentence = post(browser, "say", conversation, text="Hello", client_id=str(uuid.uuid4()))
    assert status == 409
    assert "Ann" in sentence
    assert post(browser, "note", conversation, text="Called before.", client_id=str(uuid.uuid4()))[0] == 201
    note = Entry.objects.get(conversation=conversation, kind="note")
    assert (note.audience, note.actor_name, note.body) == ("staff", "Ben", "Called before.")


@pytest.mark.parametrize(
    ("text", "client_id", "part"),
    [
        ("", SOME_ID, "nothing to send"),
        ("   ", SOME_ID, "nothing to send"),
        ("x" * 4001, SOME_ID, "longer than 4000"),
        ("null \x00 byte", SOME_ID, "Null characters"),
        ("no id", "not-an-id", "valid UUID"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words(cast: Cast, text: str, client_id: str, part: str) -> None:
    """Nothing is written, and the sentence says what was wrong."""
    conversation = taken(cast, cast.ann)
    before = Entry.objects.count()
    status, sentence = post(cast.client(cast.ann), "say", conversation, text=text, client_id=client_id)
    assert status == 422
    assert part in sentence
    assert Entry.objects.count() == before


def test_transfer_needs_a_queue_and_a_note(cast: Cast) -> None:
    """The form comes back with what is missing; then the work waits in the other queue and keeps its time."""
    conversation = taken(cast, cast.ann)
    browser = cast.client(cast.ann)
    enqueued = WorkItem.objects.get(subject=conversation.public_id.hex).enqueued_at
    status, form = post(browser, "transfer", conversation)
    assert status == 422
    assert "Choose the queue" in form
    assert "Write a line" in form
    billing = Queue.objects.get(code="billing")
    assert post(browser, "transfer", conversation, queue=str(billing.pk), note="Wants a refund.")[0] == 204
    conversation.refresh_from_db()
    work = WorkItem.objects.get(subject=conversation.public_id.hex)
    assert (conversation.owner_agent, work.queue, work.enqueued_at) == (None, billing, enqueued)
    assert Entry.objects.get(conversation=conversation, kind="conversation.transferred").body == "Wants a refund."


def test_closing_needs_an_outcome(cast: Cast) -> None:
    """Without a disposition it stays open; with one it is closed and the agent is free."""
    conversation = taken(cast, cast.ann)
    browser = cast.client(cast.ann)
    status, form = post(browser, "close", conversation, note="Done")
    assert status == 422
    assert "Choose how it ended" in form
    assert "Done" in form
    conversation.refresh_from_db()
    assert conversation.status == "open"
    assert post(browser, "close", conversation, disposition=str(cast.solved.pk), note="Reset worked.")[0] == 204
    conversation.refresh_from_db()
    assert (conversation.status, conversation.disposition) == ("closed", cast.solved)
    cast.ann.refresh_from_db()
    assert cast.ann.load == 0
    assert post(browser, "close", conversation, disposition=str(cast.solved.pk))[0] == 409


def test_a_colleague_cannot_transfer_or_close(cast: Cast) -> None:
    """Only the owner ends or passes on what they have."""
    conversation = taken(cast, cast.ann)
    browser = cast.client(cast.ben)
    queue = str(cast.company.billing.pk)
    assert post(browser, "transfer", conversation, queue=queue, note="Mine now")[0] == 409
    assert post(browser, "close", conversation, disposition=str(cast.solved.pk))[0] == 409
    conversation.refresh_from_db()
    assert (conversation.status, conversation.owner_agent) == ("open", cast.ann)


def test_connecting_without_a_call_says_so(cast: Cast) -> None:
    """There must be a live call, and the agent needs a phone."""
    conversation = taken(cast, cast.ann)
    status, sentence = post(cast.client(cast.ann), "connect", conversation)
    assert status == 409
    assert "no live call" in sentence
    cast.call(conversation)
    status, sentence = post(cast.client(cast.ann), "connect", conversation)
    assert status == 409
    assert "no phone yet" in sentence


def test_a_caller_is_texted_a_link_to_the_chat(cast: Cast, settings: Any) -> None:
    """By the owner, on a live call that shows its number; the page offers it then and only then."""
    conversation = taken(cast, cast.ann)
    browser, address = cast.client(cast.ann), reverse("inbox:conversation", args=[conversation.public_id])
    assert "Text a link to the chat" not in browser.get(address).content.decode()
    status, sentence = post(browser, "text-link", conversation)
    assert (status, sentence) == (409, "There is no live call in this conversation.")
    call = cast.call(conversation)
    assert "Text a link to the chat" in browser.get(address).content.decode()
    with serving() as (platform, port):
        settings.PORT = port
        assert post(cast.client(cast.ben), "text-link", conversation)[0] == 409
        assert platform.texts() == []
        assert post(browser, "text-link", conversation)[0] == 204
        assert [text["to"] for text in platform.texts()] == [call.party.removeprefix("+")]
        platform.code = 503
        assert post(browser, "text-link", conversation) == (409, "The text message could not be sent.")
    assert Entry.objects.get(kind="link.sent").actor_name == "Ann"
    Interaction.objects.filter(pk=call.pk).update(party="Withheld number")
    assert "Text a link to the chat" not in browser.get(address).content.decode()
    assert post(browser, "text-link", conversation) == (409, "The number of this call is not shown, so no link can be sent to it.")


def test_presence_is_what_the_agent_chose(cast: Cast) -> None:
    """The switch stores the state; anything else is refused."""
    browser = cast.client(cast.ann)
    assert browser.post(reverse("inbox:presence"), {"state": "available"}).status_code == 204
    assert Presence.objects.get(agent=cast.ann).state == "available"
    assert browser.post(reverse("inbox:presence"), {"state": "asleep"}).status_code == 422
    assert Presence.objects.get(agent=cast.ann).state == "available"


def connected(call: Interaction) -> None:
    """A person's phone is on the call."""
    seat = call_seats.reserve(call, AgentProfile.objects.get(display_name="Ann"), purpose="answer", seconds=90)
    call_seats.name_leg(seat, str(uuid.uuid4()))
    call_seats.connect(seat)
    call_state.move(call.pk, call_state.ROOM, is_reached=True)


def test_a_reply_goes_where_the_agent_chooses(cast: Cast) -> None:
    """With a call and a chat at once the call comes first, and the chat can be chosen."""
    conversation = taken(cast, cast.ann)
    chat, call = conversation.interactions.get(), cast.call(conversation)
    browser = cast.client(cast.ann)
    page = browser.get(reverse("inbox:conversation", args=[conversation.public_id])).content.decode()
    assert page.index("Say on the call</option>") < page.index("Send to web chat</option>")
    for line, expected in (("", call), (str(chat.public_id), chat), (str(uuid.uuid4()), call)):
        status, _body = post(browser, "say", conversation, text="Hello", client_id=uuid.uuid4().hex, line=line)
        assert status == 201
        assert Entry.objects.filter(kind="message").latest("pk").interaction == expected


def test_nothing_is_written_into_a_call_that_the_agent_is_on(cast: Cast) -> None:
    """Whoever talks with the caller writes to the chat; where there is none, words typed would reach nobody, and are refused."""
    conversation = taken(cast, cast.ann)
    chat, call = conversation.interactions.get(), cast.call(conversation)
    connected(call)
    browser = cast.client(cast.ann)
    page = browser.get(reverse("inbox:conversation", args=[conversation.public_id])).content.decode()
    assert "Send to web chat" in page
    assert "Say on the call" not in page
    assert "Connect my phone" not in page
    assert post(browser, "say", conversation, text="Hello", client_id=uuid.uuid4().hex)[0] == 201
    assert Entry.objects.filter(kind="message").latest("pk").interaction == chat
    Interaction.objects.filter(pk=chat.pk).update(channel="voice", state="ended", ended_at=timezone.now(), end_reason="completed")
    status, body = post(browser, "say", conversation, text="Anybody?", client_id=uuid.uuid4().hex)
    assert (status, "You are on the phone with the customer" in body) == (409, True)
    assert not Entry.objects.filter(body="Anybody?").exists()
