"""What a call leaves in the record and what its caller hears, through the webhooks."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from conversations.flows import takeover
from conversations.models import Customer, Entry, EntryPoint, Identifier, Interaction, WebhookRecord
from conversations.selectors.invariants import contacts_without_interaction
from conversations.services import callbacks, identity, joining, ownership, threads, timeline
from conversations.services.parties import IdentifierClaim
from conversations.services.timeline import NewEntry
from conversations.voice.simulator.checking import checked
from routing.models import AgentProfile, DispositionCode, Presence, ServiceHours, WorkItem
from tests.record import rows
from tests.support import triggers
from tests.support.locks import until
from tests.voice.platform import SAM, Caller, post, post_async, words_of

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def call_of(caller: Caller) -> Interaction:
    return Interaction.objects.select_related("conversation").get(provider_id=caller.uuid)


def bodies(caller: Caller, kind: str = "message") -> list[tuple[str, str]]:
    return list(Entry.objects.filter(interaction__provider_id=caller.uuid, kind=kind).order_by("pk").values_list("actor_kind", "body"))


def chat_with(phone: str, name: str = "Sam") -> Interaction:
    """A web chat in which this phone number was typed."""
    with transaction.atomic():
        customer = identity.resolve([IdentifierClaim("visitor", f"v-{phone}", "verified")], source="web chat")
        identity.claim(customer, "phone", phone, source="web chat")
        chat = threads.open_or_resume(customer)
    return rows.interaction(chat, provider_id=f"chat-{phone}")


class TestAnswering:
    def test_the_call_says_that_it_is_an_ai_and_asks_how_to_help(self, caller: Caller) -> None:
        """The disclosure comes first, is an entry, and the caller may interrupt."""
        ncco = post("/voice/answer/", caller.answer()).json()
        assert words_of(checked(ncco)).startswith("I am Harbor's AI assistant.")
        assert "how I can help" in words_of(ncco)
        assert [action["action"] for action in ncco[:4]] == ["talk", "input", "talk", "input"]
        assert ncco[0]["bargeIn"] is True
        assert bodies(caller, "disclosure.shown") == [("assistant", "I am Harbor's AI assistant.")]
        assert [actor for actor, _ in bodies(caller)] == ["assistant"]

    def test_the_call_is_filed_under_its_number(self, caller: Caller) -> None:
        """Caller ID is a hint of the network, not a proof."""
        post("/voice/answer/", caller.answer())
        call = call_of(caller)
        assert (call.channel, call.state, call.party, call.assurance) == ("voice", "active", f"+{SAM}", "network_hint")
        assert call.data["region_url"] == "https://api-eu-1.nexmo.com"
        assert Identifier.objects.get(kind="phone").assurance == "network_hint"

    def test_a_number_that_is_not_ours(self, number: EntryPoint) -> None:
        ncco = post("/voice/answer/", Caller(dialled="441632960999").answer()).json()
        assert "not in service" in words_of(ncco)
        assert [action["action"] for action in ncco] == ["talk"]
        assert not Interaction.objects.exists()

    def test_a_line_that_is_off(self, caller: Caller, number: EntryPoint) -> None:
        EntryPoint.objects.filter(pk=number.pk).update(mode="off")
        ncco = post("/voice/answer/", caller.answer()).json()
        assert "Nobody can take calls" in words_of(ncco)
        assert ncco[-1]["action"] == "talk"

    def test_asked_again_with_a_new_token_the_same_is_said(self, caller: Caller) -> None:
        """One call, one greeting in the record, the same words."""
        first = post("/voice/answer/", caller.answer()).json()
        again = post("/voice/answer/", caller.answer()).json()
        assert words_of(again) == words_of(first)
        assert Interaction.objects.count() == Customer.objects.count() == 1
        assert len(bodies(caller)) == 1


@pytest.mark.parametrize("shown", [None, "anonymous", "Restricted", "266696687", "4477\x00", "<script>alert(1)</script>", 7, ["x"]])
def test_withheld_and_malformed_numbers_make_anonymous_calls(number: EntryPoint, shown: Any) -> None:
    """Each is a customer of its own: nothing says that two of them are the same."""
    callers = [Caller(), Caller()]
    for caller in callers:
        body = caller.answer() | {"from": shown}
        assert post("/voice/answer/", body).status_code == 200
        assert call_of(caller).party == "Withheld number"
        assert call_of(caller).assurance == "claimed"
    assert Customer.objects.count() == 2
    assert not Identifier.objects.filter(kind="phone").exists()


EVENTS = ["started", "ringing", "answered", "completed"]


def state_after(order: list[str], caller: Caller) -> tuple[Any, ...]:
    """The record after the answer webhook and events in this order, each at the time at which it happened."""
    times = {status: START + timedelta(seconds=5 * number) for number, status in enumerate(EVENTS)}
    for status in order:
        at = times.get(status)
        body = caller.answer() if status == "answer" else caller.event(status, timestamp=at.isoformat())
        assert post(f"/voice/{'answer' if status == 'answer' else 'event'}/", body).status_code in (200, 204)
    call = call_of(caller)
    kinds = Entry.objects.filter(interaction=call, kind__in=["call.answered", "interaction.started", "interaction.ended"])
    return (call.state, call.end_reason, call.answered_at, sorted(kinds.values_list("kind", flat=True)))


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(["answer", *EVENTS]), st.lists(st.sampled_from(["answer", *EVENTS]), max_size=4), st.randoms())
def test_any_order_and_repetition_leaves_the_same_record(
    number: EntryPoint, order: list[str], repeated: list[str], chance: random.Random
) -> None:
    """The platform promises neither order nor exactly-once."""
    mixed = [*order, *repeated]
    chance.shuffle(mixed)
    state, reason, answered_at, kinds = state_after(mixed, Caller())
    assert (state, reason) == ("ended", "completed")
    assert answered_at == START + timedelta(seconds=10)
    assert kinds == ["call.answered", "interaction.ended", "interaction.started"]


def test_a_call_that_ended_stays_ended(caller: Caller) -> None:
    post("/voice/answer/", caller.answer())
    post("/voice/event/", caller.event("completed"))
    for status in ("answered", "ringing", "started", "busy"):
        post("/voice/event/", caller.event(status))
    assert (call_of(caller).state, call_of(caller).end_reason) == ("ended", "completed")
    assert "Goodbye" in words_of(post("/voice/input/", caller.said("hello")).json())


def test_events_about_nobodys_call_are_kept_and_do_nothing(number: EntryPoint) -> None:
    """Errors without a leg, transfers, unknown statuses, machine detection."""
    caller = Caller()
    machine = caller.event("machine")
    machine["call_uuid"] = machine.pop("uuid")
    for body in (
        {"reason": "Syntax error in NCCO.", "conversation_uuid": caller.room, "timestamp": "2026-01-01T00:00:00.000Z"},
        {"uuid": caller.uuid, "conversation_uuid_from": "CON-1", "conversation_uuid_to": "CON-2", "timestamp": "x"},
        caller.event("levitating"),
        machine,
    ):
        assert post("/voice/event/", body).status_code == 204
    assert WebhookRecord.objects.count() == 4
    assert not Interaction.objects.exists()


def test_a_call_given_up_before_it_was_answered_is_still_one_interaction(caller: Caller) -> None:
    post("/voice/event/", caller.event("cancelled"))
    assert (call_of(caller).state, call_of(caller).end_reason) == ("ended", "cancelled")


LIKE_A_CARD = "a0000000-4111-1111-1111-1111abcdefab"
"""A call's id with a card number's digits in it, Luhn digit and all, as one in a thousand UUIDs has."""


def test_ids_and_numbers_that_look_like_cards_stay_whole(number: EntryPoint) -> None:
    """What the platform calls a leg, and a long phone number with a right Luhn digit, are no card numbers."""
    caller = Caller(uuid=LIKE_A_CARD, number="4915112345678")
    post("/voice/event/", caller.event("completed"))
    post("/voice/answer/", caller.answer())
    call = Interaction.objects.get(channel="voice")
    assert (call.provider_id, call.party, call.state) == (LIKE_A_CARD, "+4915112345678", "ended")
    assert {record.body["uuid"] for record in WebhookRecord.objects.all()} == {LIKE_A_CARD}


LISTENS = [{"action": "talk", "text": "Hello"}, {"action": "input", "type": ["speech"], "speech": {"startTimeout": 3}}]


def test_calls_that_were_turned_away_are_not_missed_and_lost_ones_are(caller: Caller) -> None:
    """What `doctor` says: a number that is not ours and a call to no number are no contacts; a call whose filing died is."""
    post("/voice/answer/", Caller(dialled="441632960999").answer())
    post("/voice/answer/", Caller().answer() | {"to": "sip:sam@example.com"})
    post("/voice/answer/", caller.answer())
    lost = {"unanswered": Caller(), "failed": Caller(), "unfiled": Caller()}
    for why, each in lost.items():
        answer = {"unanswered": None, "failed": {"failed": "OperationalError"}, "unfiled": LISTENS}[why]
        answered_at = START if why == "unfiled" else None
        kept = {"token_id": why, "body_hash": why, "kind": "answer", "provider_id": each.uuid, "body": {}}
        WebhookRecord.objects.create(**kept, answer=answer, answered_at=answered_at)
    with triggers.ignored("conversations.WebhookRecord:webhooks_are_append_only"):
        WebhookRecord.objects.update(received_at=START)
    assert sorted(contacts_without_interaction()) == sorted(f"Call {each.uuid} has no interaction." for each in lost.values())


class TestSpeaking:
    def test_what_is_said_is_filed_and_answered_in_the_same_webhook(self, caller: Caller, patient: None) -> None:
        """Spoken words are written as they would be typed; the reply is said and listening goes on."""
        post("/voice/answer/", caller.answer())
        ncco = post("/voice/input/", caller.said("um my number is oh seven seven hundred nine hundred one two three", "other")).json()
        message = Entry.objects.get(actor_kind="customer", kind="message")
        assert message.body == "my number is 07700900123"
        assert message.data["spoken"] is True
        assert message.data["confidence"] == 0.99
        assert len(message.data["hypotheses"]) == 2
        reply = Entry.objects.filter(actor_kind="assistant", kind="message").last()
        assert reply is not None
        assert reply.seq > message.seq
        assert "colleague" in words_of(checked(ncco))
        assert ncco[-1]["action"] == "input"

    def test_a_reply_is_said_once(self, caller: Caller, patient: None) -> None:
        """What the webhook said is not put into the call a second time, nor said after the next words."""
        post("/voice/answer/", caller.answer())
        first = post("/voice/input/", caller.said("my boiler leaks")).json()
        second = post("/voice/input/", caller.silent()).json()
        assert words_of(first) not in words_of(second)
        assert call_of(caller).data["spoken_seq"] == Entry.objects.filter(kind="message").last().seq

    def test_a_silence_has_the_question_put_again(self, caller: Caller) -> None:
        """What was asked in the middle of something, and how to answer it, and not how to be helped."""
        post("/voice/answer/", caller.answer())
        call = call_of(caller)
        asked = "What phone number can we ring? Please say it digit by digit."
        new = NewEntry(kind="message", actor_kind="assistant", actor_name="Harbor", body=f"Thank you. {asked}", interaction=call)
        timeline.append(call.conversation_id, new)
        heard = [words_of(post("/voice/input/", caller.silent()).json()) for _ in range(3)]
        # What was put into the history meanwhile is said first.
        assert all(asked in words for words in heard[:2])
        assert "press zero" in heard[2] or "press zero" in words_of(post("/voice/input/", caller.silent()).json())

    def test_the_same_words_posted_again_make_one_entry_and_the_same_reply(self, caller: Caller, patient: None) -> None:
        """The platform may try again with a new token."""
        post("/voice/answer/", caller.answer())
        body = caller.said("my boiler leaks")
        first = post("/voice/input/", body).json()
        again = post("/voice/input/", body).json()
        assert words_of(again) == words_of(first)
        assert Entry.objects.filter(actor_kind="customer", kind="message").count() == 1

    def test_what_was_not_heard_is_estimated(self, caller: Caller, patient: None) -> None:
        """Words that began while the voice was still speaking say, marked as an estimate, how far it had got."""
        post("/voice/answer/", caller.answer())
        in_the_middle = (datetime.now(UTC) + timedelta(seconds=6)).isoformat()
        post("/voice/input/", caller.said("stop", timestamp=in_the_middle))
        heard = Entry.objects.get(actor_kind="customer", kind="message").data["heard"]
        assert heard["estimated"] is True
        assert 0 < heard["words"] < heard["of"]
        later = caller.said("hello again", timestamp=(datetime.now(UTC) + timedelta(minutes=2)).isoformat())
        post("/voice/input/", later)
        assert "heard" not in Entry.objects.filter(actor_kind="customer", kind="message").last().data

    def test_a_call_that_nobody_knows(self, number: EntryPoint) -> None:
        """On a number that is not ours; on one that is, the call goes on, whatever became of its first webhook."""
        elsewhere = Caller(dialled="441632960999")
        assert "call again" in words_of(post("/voice/input/", elsewhere.said("hello")).json())

    def test_a_call_whose_first_webhook_was_lost_goes_on(self, caller: Caller, patient: None) -> None:
        """Its caller is on the line and speaks, so it is begun with what they say, and says that an AI answers."""
        said = words_of(post("/voice/input/", caller.said("my boiler leaks")).json())
        assert said.startswith("I am Harbor's AI assistant.")
        assert bodies(caller)[0] == ("customer", "my boiler leaks")

    def test_markup_that_was_said_is_only_words(self, caller: Caller, patient: None) -> None:
        post("/voice/answer/", caller.answer())
        ncco = post("/voice/input/", caller.said("<break time='9s'/> & \x00 goodbye")).json()
        assert checked(ncco)
        assert "\x00" not in Entry.objects.get(actor_kind="customer", kind="message").body


class TestSilence:
    def test_two_prompts_then_a_person_then_goodbye(self, caller: Caller) -> None:
        post("/voice/answer/", caller.answer())
        said = [post("/voice/input/", caller.silent()).json() for _ in range(4)]
        assert [ncco[-1]["action"] for ncco in said] == ["input", "input", "input", "talk"]
        assert "press zero" in words_of(said[2])
        assert "Goodbye" in words_of(said[3])

    def test_words_start_the_count_anew(self, caller: Caller, patient: None, number: EntryPoint) -> None:
        post("/voice/answer/", caller.answer())
        for _ in range(2):
            post("/voice/input/", caller.silent())
        post("/voice/input/", caller.said("hello"))
        assert call_of(caller).data["silences"] == 0

    def test_who_waits_for_a_person_may_be_silent(self, caller: Caller, patient: None) -> None:
        """The line is kept open for as long as it takes, with music."""
        post("/voice/answer/", caller.answer())
        post("/voice/input/", caller.said("I want to speak to a person"))
        said = [post("/voice/input/", caller.silent()).json() for _ in range(6)]
        assert all(ncco[-1]["action"] == "input" for ncco in said)
        assert all("Thank you for waiting." in words_of(ncco) for ncco in said)
        assert [action["action"] for action in said[0][:3]] == ["talk", "stream", "input"], "music fills the time until they speak"

    def test_zero_asks_for_a_person(self, caller: Caller, patient: None) -> None:
        post("/voice/answer/", caller.answer())
        ncco = post("/voice/input/", caller.keyed("0")).json()
        assert "colleague" in words_of(ncco)
        assert bodies(caller)[1] == ("customer", "I would like to speak to a person.")


class TestContinuingByPhone:
    def test_a_keyed_code_carries_the_chat_into_the_call(self, caller: Caller) -> None:
        """At once and with full assurance; the code itself is nowhere in the history."""
        chat = chat_with("+447700900555")
        code, _row = joining.issue_code(chat)
        post("/voice/answer/", caller.answer())
        ncco = post("/voice/input/", caller.keyed(code)).json()
        call = call_of(caller)
        assert (call.conversation, call.assurance) == (chat.conversation, "verified")
        assert "I have our chat" in words_of(ncco)
        assert not Entry.objects.filter(body__contains=code).exists()
        assert not Entry.objects.filter(data__digits=code).exists()

    def test_a_spoken_code_does_too(self, caller: Caller) -> None:
        chat = chat_with("+447700900555")
        code, _row = joining.issue_code(chat)
        post("/voice/answer/", caller.answer())
        post("/voice/input/", caller.said(f"my code is {' '.join(code)}"))
        assert call_of(caller).conversation == chat.conversation

    def test_a_wrong_code_is_said_to_be_wrong_and_five_are_enough(self, caller: Caller) -> None:
        chat = chat_with("+447700900555")
        code, _row = joining.issue_code(chat)
        wrong = "000000" if code != "000000" else "111111"
        post("/voice/answer/", caller.answer())
        for _ in range(5):
            assert "do not know that code" in words_of(post("/voice/input/", caller.keyed(wrong)).json())
        assert "cannot take another" in words_of(post("/voice/input/", caller.keyed(code)).json())
        assert call_of(caller).conversation != chat.conversation

    def test_codes_cannot_be_guessed_by_calling_again_and_again(self, number: EntryPoint) -> None:
        """After fifteen wrong ones from a number within the hour, its next call may not try at all."""
        chat = chat_with("+447700900555")
        code, _row = joining.issue_code(chat)
        wrong = "000000" if code != "000000" else "111111"
        for _call in range(3):
            caller = Caller()
            post("/voice/answer/", caller.answer())
            for _try in range(5):
                post("/voice/input/", caller.keyed(wrong))
        caller = Caller()
        post("/voice/answer/", caller.answer())
        assert "cannot take another" in words_of(post("/voice/input/", caller.keyed(code)).json())
        assert call_of(caller).conversation != chat.conversation

    def test_the_code_of_a_chat_that_was_closed_is_too_old(self, caller: Caller) -> None:
        """A call cannot go on in a closed conversation, where nobody would hear it."""
        chat = chat_with("+447700900555")
        code, _row = joining.issue_code(chat)
        threads.close(chat.conversation, actor_kind="system", actor_name="", disposition=None)
        post("/voice/answer/", caller.answer())
        assert "too old" in words_of(post("/voice/input/", caller.keyed(code)).json())
        assert call_of(caller).conversation.status == "open"

    def test_a_caller_who_waits_for_a_person_keeps_the_place_when_a_chat_is_joined(self, caller: Caller, patient: None) -> None:
        """The chat goes on in the call's conversation, where the person is awaited, and not the other way round."""
        chat = chat_with("+447700900555")
        code, _row = joining.issue_code(chat)
        post("/voice/answer/", caller.answer())
        post("/voice/input/", caller.said("I want to speak to a person"))
        waiting = WorkItem.objects.get(state="queued")
        assert "I have our chat" in words_of(post("/voice/input/", caller.keyed(code)).json())
        chat.refresh_from_db()
        call = call_of(caller)
        assert call.assurance == "verified"
        assert chat.conversation == call.conversation
        assert WorkItem.objects.get(state="queued") == waiting
        assert waiting.subject == call.conversation.public_id.hex

    def test_a_number_typed_in_a_chat_is_asked_about_and_joined_on_yes(self, caller: Caller) -> None:
        """Without a word about the chat before the yes, and with the answer as evidence."""
        chat = chat_with(f"+{SAM}")
        timeline.append(chat.conversation_id, NewEntry(kind="message", actor_kind="customer", body="leaking boiler", interaction=chat))
        asked = words_of(post("/voice/answer/", caller.answer()).json())
        assert "web chat" in asked
        assert "boiler" not in asked
        ncco = post("/voice/input/", caller.said("yes please")).json()
        call = call_of(caller)
        assert (call.conversation, call.assurance) == (chat.conversation, "network_hint")
        assert "I have our chat" in words_of(ncco)
        joined = Entry.objects.filter(kind="conversation.joined", conversation=chat.conversation).get()
        assert joined.data["evidence"]["method"] == "yes"
        assert ("customer", "yes please") in bodies(caller)

    def test_no_keeps_the_call_apart(self, caller: Caller) -> None:
        chat = chat_with(f"+{SAM}")
        post("/voice/answer/", caller.answer())
        ncco = post("/voice/input/", caller.said("no thanks")).json()
        assert "How can I help" in words_of(ncco)
        assert call_of(caller).conversation != chat.conversation

    def test_another_need_instead_of_an_answer_is_taken_as_it_is(self, caller: Caller, patient: None) -> None:
        chat = chat_with(f"+{SAM}")
        post("/voice/answer/", caller.answer())
        post("/voice/input/", caller.said("my sink is blocked"))
        assert call_of(caller).conversation != chat.conversation
        assert ("customer", "my sink is blocked") in bodies(caller)

    def test_yes_and_a_need_in_one_breath(self, caller: Caller, patient: None) -> None:
        """The chat goes on, and the need is heard too."""
        chat = chat_with(f"+{SAM}")
        post("/voice/answer/", caller.answer())
        ncco = post("/voice/input/", caller.said("yes and I want to move the visit to Friday")).json()
        assert call_of(caller).conversation == chat.conversation
        assert any("Friday" in body for _, body in bodies(caller))
        assert "colleague" in words_of(ncco)


class TestLateReplies:
    async def test_a_late_reply_keeps_the_line_open_with_a_filler(self, caller: Caller, settings: Any) -> None:
        """No webhook waits for the reply longer than its budget."""
        settings.VOICE_REPLY_BUDGET_MS = 0
        await post_async("/voice/answer/", caller.answer())
        ncco = (await post_async("/voice/input/", caller.said("my boiler leaks"))).json()
        assert words_of(ncco) == "One moment, please."
        assert ncco[-1]["action"] == "input"


def test_a_person_who_has_the_conversation_is_named(caller: Caller) -> None:
    post("/voice/answer/", caller.answer())
    with transaction.atomic():
        ownership.give_to_human(call_of(caller).conversation, rows.agent("Ann"))
    assert "Ann has that" in words_of(post("/voice/input/", caller.said("are you there")).json())
    assert "Ann is still with you" in words_of(post("/voice/input/", caller.silent()).json())


def test_a_second_call_to_a_person_is_still_answered_by_a_voice_that_says_what_it_is(caller: Caller) -> None:
    """No AI answers, so it is not disclosed; the caller hears that a machine speaks and who will answer."""
    post("/voice/answer/", caller.answer())
    with transaction.atomic():
        ownership.give_to_human(call_of(caller).conversation, rows.agent("Ann"))
    said = words_of(post("/voice/answer/", Caller().answer()).json())
    assert said.startswith("This is the automated voice of Harbor Home Services. A colleague of mine will answer you here.")
    assert "Ann" not in said


@pytest.fixture
def closed(transactional_db: None) -> Iterator[None]:
    """The phone line's people are in on one other day of the week alone."""
    day = (timezone.now() + timedelta(days=3)).strftime("%a")[:2]
    hours = ServiceHours.objects.create(code="elsewhen", name="Elsewhen", expression=f"{day} 09:00-10:00", time_zone="Europe/London")
    EntryPoint.objects.filter(channel="voice").update(hours=hours)
    yield
    EntryPoint.objects.filter(channel="voice").update(hours=None)
    hours.delete()


def test_nobody_is_said_to_answer_who_is_gone(caller: Caller, closed: None, patient: None) -> None:
    """Outside the hours, with the person offline: when they are back is said, the promised call, and that words are kept for them."""
    post("/voice/answer/", caller.answer())
    post("/voice/input/", caller.said("I want to talk to a person"))
    until(WorkItem.objects.exists)
    conversation, ann = call_of(caller).conversation, rows.agent("Ann")
    with transaction.atomic():
        callbacks.choose(
            conversation, call_of(caller), f"+{SAM}", timezone.now() + timedelta(hours=9), wording="Call me back?", source_id="once"
        )
        ownership.give_to_human(conversation, ann)
    again = Caller()
    said = words_of(post("/voice/answer/", again.answer()).json())
    assert "will answer you here" not in said
    assert "My colleagues are not in at the moment; they are back" in said
    assert "A colleague will call you back by" in said
    assert "07700" not in said
    assert "I have added that for my colleagues" in words_of(post("/voice/input/", again.said("it is about my bill")).json())
    assert "you can hang up" in words_of(post("/voice/input/", again.silent()).json())
    Presence.objects.create(agent=ann, state="available")
    assert "Ann has that" in words_of(post("/voice/input/", again.said("hello")).json())


def test_a_closed_conversation_says_goodbye(caller: Caller) -> None:
    post("/voice/answer/", caller.answer())
    threads.close(call_of(caller).conversation, actor_kind="agent", actor_name="Ann", disposition=None)
    ncco = post("/voice/input/", caller.said("hello")).json()
    assert "Goodbye" in words_of(ncco)
    assert ncco[-1]["action"] == "talk"
    assert call_of(caller).state != "ended", "only the platform knows when a call ended"
    post("/voice/event/", caller.event("completed"))
    assert call_of(caller).end_reason == "completed"


class TestWrappingUp:
    """A person accepts the caller's case; the platform says when the talking ends."""

    def with_a_person(self, caller: Caller) -> AgentProfile:
        post("/voice/answer/", caller.answer())
        ann = rows.agent("Ann")
        takeover.take_over(call_of(caller).conversation, ann)
        return ann

    def states(self, caller: Caller, ann: AgentProfile) -> tuple[str, str, int]:
        work = WorkItem.objects.get(subject=call_of(caller).conversation.public_id.hex)
        ann.refresh_from_db()
        return work.state, work.reservations.get().state, ann.load

    def test_hanging_up_begins_the_wrap_up_and_calling_again_ends_it(self, caller: Caller) -> None:
        """Capacity stays taken until the person closes the conversation."""
        ann = self.with_a_person(caller)
        assert self.states(caller, ann) == ("assigned", "accepted", 6)
        post("/voice/event/", caller.event("completed"))
        assert self.states(caller, ann) == ("wrapping", "wrapping", 6)
        again = Caller()
        post("/voice/answer/", again.answer())
        assert call_of(again).conversation == call_of(caller).conversation
        assert self.states(caller, ann) == ("assigned", "accepted", 6)
        post("/voice/event/", again.event("completed"))
        takeover.close(call_of(caller).conversation, ann, DispositionCode.objects.get_or_create(code="done", name="Done")[0])
        assert self.states(caller, ann) == ("completed", "completed", 0)

    def test_a_person_who_still_has_another_line_goes_on_talking(self, caller: Caller) -> None:
        """One of two calls ends; the other one is up."""
        ann = self.with_a_person(caller)
        post("/voice/answer/", Caller().answer())
        post("/voice/event/", caller.event("completed"))
        assert self.states(caller, ann) == ("assigned", "accepted", 6)
