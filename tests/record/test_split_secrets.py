"""Card numbers and security codes that come in several messages: nothing of them is left in the database."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Coroutine
from datetime import date
from itertools import count, pairwise
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Now
from hypothesis import given
from hypothesis import strategies as st

from conversations.chat import visitor
from conversations.flows import inbound
from conversations.flows.inbound import InboundMessage
from conversations.models import Conversation, Entry, Handoff, Identifier, Interaction
from conversations.services import announce, async_connections, facts, identity, ownership, split_secrets, threads, timeline
from conversations.services.facts import LearnedFact
from conversations.services.redaction import luhn_is_right
from conversations.services.split_numbers import find_split_card, may_be_piece
from conversations.services.timeline import NewEntry
from routing.models import AgentProfile, WorkItem
from routing.services import queueing
from tests.record import rows
from tests.support import triggers
from tests.support.examples import examples

pytestmark = pytest.mark.django_db(transaction=True)
CARD = "4242424242424242"
IDENTIFYING = ("provider_id", "source_id", "party", "address")
_sent = count(1)


class Visitor:
    """A browser at the company's page whose chat a person has, so that nothing else is written."""

    def __init__(self, agent: AgentProfile) -> None:
        self.browser = visitor.new()
        self.session = self.browser.new_session()
        self.entry_point = rows.entry_point()
        with transaction.atomic():
            conversation = threads.open_or_resume(identity.resolve(self.browser.party.claims, source="web chat"))
            threads.start_interaction(conversation, entry_point=self.entry_point, provider_id=self.session, party=self.browser.party)
            ownership.give_to_human(conversation, agent)

    async def says(self, *texts: str) -> None:
        for text in texts:
            await self.says_as(f"s{next(_sent)}", text)

    async def says_as(self, client_id: str, text: str) -> inbound.Received:
        message = InboundMessage(
            entry_point_id=self.entry_point.pk,
            provider_id=self.session,
            party=self.browser.party,
            text=text,
            source_id=f"chat:{self.browser.id}:{client_id}",
            data={"client_id": client_id},
        )
        return await inbound.receive(message, channel="chat")

    @property
    def line(self) -> Interaction:
        return Interaction.objects.select_related("conversation").get(provider_id=self.session)

    def bodies(self) -> list[str]:
        """What is kept of the customer's messages."""
        said = Entry.objects.filter(interaction=self.line, kind="message", actor_kind="customer").order_by("seq")
        return list(said.values_list("body", flat=True))


@pytest.fixture
def agent(transactional_db: None) -> AgentProfile:
    rows.everybody_to_people()
    return rows.agent()


@pytest.fixture
def sam(agent: AgentProfile) -> Visitor:
    return Visitor(agent)


def run(story: Coroutine[Any, Any, Any]) -> Any:
    """What comes of a story that is told on an event loop of its own."""

    async def told() -> Any:
        try:
            return await story
        finally:
            await async_connections.close()

    return asyncio.run(told())


def everything_kept() -> str:
    """Every text in the record's tables, one a line, without what identifies lines and messages."""
    texts: list[str] = []
    for model in apps.get_app_config("conversations").get_models():
        wanted = [
            field.name
            for field in model._meta.fields
            if isinstance(field, models.CharField | models.TextField | models.JSONField) and field.name not in IDENTIFYING
        ]
        for row in model.objects.values_list(*wanted) if wanted else []:
            texts += [each if isinstance(each, str) else json.dumps(_without_ids(each), ensure_ascii=False) for each in row]
    return "\n".join(texts)


def _without_ids(value: Any) -> Any:
    return {key: each for key, each in value.items() if key != "client_id"} if isinstance(value, dict) else value


@st.composite
def split_cards(draw: st.DrawFn) -> list[str]:
    """A card number of 15, 16 or 19 digits with a right check digit, cut anywhere into two to all of its digits."""
    start, length = draw(st.sampled_from([("4", 16), ("51", 16), ("2221", 16), ("60", 16), ("3", 16), ("34", 15), ("37", 15), ("4", 19)]))
    digits = start + draw(st.text("0123456789", min_size=length - 1 - len(start), max_size=length - 1 - len(start)))
    whole = next(digits + check for check in "0123456789" if luhn_is_right(digits + check))
    cuts = draw(st.sets(st.integers(1, length - 1), min_size=1))
    return [whole[begin:end] for begin, end in pairwise([0, *sorted(cuts), length])]


@examples(20)
@given(split_cards(), st.booleans())
def test_no_split_of_a_card_number_is_left(agent: AgentProfile, pieces: list[str], spaced: bool) -> None:
    """However many messages it comes in: the pieces go from the history, and no text holds as many digits as a card."""
    somebody = Visitor(agent)
    run(somebody.says(*(" ".join(piece) if spaced else piece for piece in pieces)))
    left = re.sub(r"\D", "", "".join(somebody.bodies()))
    assert len(left) < 13
    assert "".join(pieces) not in re.sub(r"\W", "", everything_kept())
    redacted = Entry.objects.filter(interaction=somebody.line, redacted_at__isnull=False)
    assert redacted.exists() or any("•" in body for body in somebody.bodies())
    for piece in pieces[:-1]:
        assert len(piece) < 5 or piece not in "\n".join(somebody.bodies())


ORDINARY = st.one_of(
    st.integers(0, 999).map(lambda number: f"07700 900{number:03d}"),
    st.integers(0, 999_999).map(lambda number: f"HH-{number:06d}"),
    st.integers(4_000_000, 4_999_999).map(lambda number: f"order {number}"),
    st.tuples(st.integers(1, 9), st.integers(1, 9)).map(lambda each: f"HB{each[0]} {each[1]}QT"),
    st.times().map(lambda time: f"{time:%H:%M}"),
    st.dates(date(1900, 1, 1), date(2099, 12, 31)).map(str),
    st.sampled_from(["2", "about 12", "+44 7700 900123", "no thanks", "we are 4, one of us is 93"]),
)


@examples(20)
@given(st.lists(ORDINARY, min_size=2, max_size=8))
def test_ordinary_numbers_one_after_the_other_stay(agent: AgentProfile, texts: list[str]) -> None:
    """Phone numbers, order numbers, postcodes, dates and times, each a message of its own."""
    somebody = Visitor(agent)
    run(somebody.says(*texts))
    assert somebody.bodies() == texts
    assert not Entry.objects.filter(interaction=somebody.line, redacted_at__isnull=False).exists()


KEPT = [
    (["4242 4242", "4242 4242"], ["", "•••• ••••"]),
    (["my card is 4242 4242", "one moment", "and then 4242 4242 12/27 123"], ["", "one moment", "and then •••• •••• 12/27 •••"]),
    (["four two four two", "4242", "forty two forty two", "4242 that's it"], ["", "", "", "•••• that's it"]),
    (["my visa is 4242424", "order 12", "242424242"], ["", "order 12", "•••••••••"]),
    ([CARD, "123"], ["•••• •••• •••• 4242", "•••"]),
    ([CARD, "the code is 123 please"], ["•••• •••• •••• 4242", "the code is ••• please"]),
    (["4242 4242", "4242 4242", "one two three"], ["", "•••• ••••", "• • •"]),
    ([CARD, "12/27", "it is for 3 rooms at 10:30", "HB1 4QT"], ["•••• •••• •••• 4242", "12/27", "it is for 3 rooms at 10:30", "HB1 4QT"]),
    (["the cvv is", "987"], ["the cvv is", "•••"]),
    (["987", "that is the security code"], ["", "that is the security code"]),
    (["987", "that is my house number"], ["987", "that is my house number"]),
    (["4242 4242", "4242 4241"], ["4242 4242", "4242 4241"]),
]


def test_what_is_kept(agent: AgentProfile) -> None:
    """Words between the pieces change nothing, nor does how the digits are written."""
    everybody = [Visitor(agent) for _story in KEPT]

    async def story() -> None:
        for somebody, (said, _kept) in zip(everybody, KEPT, strict=True):
            await somebody.says(*said)

    run(story())
    assert [somebody.bodies() for somebody in everybody] == [kept for _said, kept in KEPT]


def test_a_code_that_a_person_asked_for_goes(sam: Visitor) -> None:
    """Wherever it stands in the answer; other digits in it stay."""
    question = NewEntry("message", "agent", "Ann", "And the three digits on the back?", interaction=sam.line)
    timeline.append(sam.line.conversation_id, question)
    run(sam.says("sure, that would be 123, and I am in at 10:30"))
    assert sam.bodies() == ["sure, that would be •••, and I am in at 10:30"]


def test_pieces_far_apart_are_not_one(sam: Visitor) -> None:
    """What was said before the window began is not looked at; the database's clock counts."""
    run(sam.says("4242 4242"))
    with triggers.ignored("conversations.Entry:entries_are_append_only"):
        Entry.objects.update(recorded_at=Now() - split_secrets.WINDOW)
    run(sam.says("4242 4242"))
    assert sam.bodies() == ["4242 4242", "4242 4242"]


def test_the_last_piece_sent_again_changes_nothing(sam: Visitor) -> None:
    """A resend is answered with where the first one stands, and redacts nothing more."""

    async def story() -> list[inbound.Received]:
        await sam.says("4242 4242", "4242")
        return [await sam.says_as("last", "4242") for _try in range(2)]

    first, again = run(story())
    assert (again.seq, first.repeated, again.repeated) == (first.seq, False, True)
    assert sam.bodies() == ["", "", "••••"]


def test_pieces_at_the_same_time_are_seen(sam: Visitor) -> None:
    """Two tabs of one chat: the second waits for the first, and finds it."""

    async def story() -> None:
        await asyncio.gather(sam.says("4242 4242"), sam.says("4242 4242"))

    run(story())
    assert sorted(sam.bodies()) == ["", "•••• ••••"]


def test_a_redaction_is_shown_on_open_screens(sam: Visitor) -> None:
    """Everybody who watches the conversation is told, after commit, with the entry as it is then."""

    async def story() -> dict[str, Any]:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await sam.says("4242 4242")
        await layer.group_add(announce.conversation_group(hexadecimal), channel)
        await sam.says("4242 4242")
        return dict(await asyncio.wait_for(layer.receive(channel), 15))

    hexadecimal = sam.line.conversation.public_id.hex
    frame = run(story())
    assert (frame["type"], frame["conversation"]) == ("entries.redacted", hexadecimal)
    assert [(entry["body"], entry["redacted"]) for entry in frame["entries"]] == [("", True)]


def test_what_was_made_of_a_piece_goes_with_it(sam: Visitor) -> None:
    """Facts, the package for a person, a claimed number and notes that quote it; what has nothing to do with it stays."""
    run(sam.says("4242424242"))
    line = sam.line
    seq = line.conversation.last_seq
    facts.learn(
        line.conversation,
        [LearnedFact("phone", "+444242424242"), LearnedFact("order_number", "HH-771903")],
        interaction=line,
        from_seq=seq,
    )
    timeline.append(line.conversation_id, NewEntry("note", "agent", "Ann", "gave 42 42 42 42 42 as a phone?", audience="staff"))
    package = Handoff.objects.create(
        conversation=line.conversation,
        work_item=_work(line.conversation),
        why="Asked.",
        summary="In their words: “4242424242”.",
        facts=[{"value": "4242424242"}],
    )
    run(sam.says("424242"))
    package.refresh_from_db()
    assert (package.summary, package.facts) == ("In their words: “••••••••••”.", [{"value": "••••••••••"}])
    kept = Conversation.objects.get(pk=line.conversation_id)
    assert {name: fact["value"] for name, fact in kept.facts.items()} == {"order_number": "HH-771903"}
    assert not Identifier.objects.filter(kind="phone").exists()
    assert Entry.objects.get(kind="note").redaction_reason
    assert "4242424242" not in re.sub(r"[^\w\n]", "", everything_kept())


def test_a_package_from_before_that_was_renewed_since_loses_the_piece(sam: Visitor) -> None:
    """Whoever waits for a person and says a card's number in pieces: the package has their words, though it was asked for earlier."""
    run(sam.says("Hello"))
    conversation = sam.line.conversation
    package = Handoff.objects.create(conversation=conversation, work_item=_work(conversation), why="Asked.", summary="Hello.")
    run(sam.says("4242424242"))
    Handoff.objects.filter(pk=package.pk).update(summary="In their words: “Hello” and “4242424242”.")
    run(sam.says("424242"))
    package.refresh_from_db()
    assert package.summary == "In their words: “Hello” and “••••••••••”."


def test_nothing_is_learned_from_what_was_taken_out_meanwhile(sam: Visitor) -> None:
    """A turn that had read the piece already."""
    run(sam.says("4242424242", "424242"))
    piece = Entry.objects.get(interaction=sam.line, kind="message", redacted_at__isnull=False)
    learned = facts.learn(sam.line.conversation, [LearnedFact("phone", "+444242424242")], interaction=sam.line, from_seq=piece.seq)
    assert learned == []
    assert not Identifier.objects.filter(kind="phone").exists()


def _work(conversation: Conversation) -> WorkItem:
    subject = conversation.public_id.hex
    with transaction.atomic():
        return queueing.enqueue(subject=subject, kind="messaging", decision=rows.decision(subject=subject))


@pytest.mark.parametrize("text", ["hello", "HB1 4QT", "10:30", "2026-11-27 10:00", "HH-424242", "we need 2 of them", "+44 20 7946 0123"])
def test_most_texts_cost_one_statement(text: str) -> None:
    """Without digits that may be a card's, nothing else is looked at."""
    assert not may_be_piece(text)


@pytest.mark.parametrize("text", ["4", "four two", "it is 4242", "07700 900123", "123", "the cvv"])
def test_digits_that_may_matter(text: str) -> None:
    assert may_be_piece(text)


def test_hostile_texts_take_no_longer_than_others() -> None:
    """Sixty of the longest messages full of digits."""
    texts = ["4 " * 2_000] * 60
    began = time.process_time()
    find_split_card(texts, region="GB", about_card=True)
    assert time.process_time() - began < 3
