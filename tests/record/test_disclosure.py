"""Invariant 5, through the selectors and the chat socket: nobody is shown what is not of lines proven to be theirs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from conversations.assistant import guard
from conversations.chat import visitor
from conversations.chat.visitor import Visitor
from conversations.models import Conversation, CustomerLink, Entry, EntryPoint, Interaction
from conversations.selectors import access
from conversations.services import joining, merging, records
from conversations.services.timeline import NewEntry, append
from tests.record import parties, rows
from tests.support.sockets import open_widget

pytestmark = pytest.mark.django_db(transaction=True)
NUMBERS = ("+447700900123", "+447700900555")
BROWSERS, CALLS = 3, 4


@pytest.fixture(autouse=True)
def harbor(transactional_db: None) -> EntryPoint:
    """A web page and a number. Returns the page."""
    rows.phone_line()
    return rows.entry_point()


class Ground:
    """What really happened: who each line's party is, and what that party wrote or was told."""

    def __init__(self) -> None:
        self.browsers = [visitor.new() for _ in range(BROWSERS)]
        self.chats: dict[int, Interaction] = {}
        self.calls: dict[int, Interaction] = {}
        self.party: dict[int, str] = {}
        self.words: dict[str, set[str]] = {}
        self.references: dict[str, set[str]] = {}
        self.count = 0

    def line(self, kind: str, which: int) -> Interaction:
        """The line of that browser or caller, begun when it is new. Two callers share each number."""
        known = self.chats if kind == "chat" else self.calls
        if which not in known:
            known[which] = parties.chat(self.browsers[which]) if kind == "chat" else parties.call(NUMBERS[which % 2])
            self.party[known[which].pk] = f"{kind} {which}"
        return Interaction.objects.get(pk=known[which].pk)

    def text(self, line: Interaction) -> str:
        """Words that are nobody else's."""
        self.count += 1
        text = f"words {self.count}."
        self.words.setdefault(self.party[line.pk], set()).add(text)
        return text

    def own(self, line: Interaction) -> set[str]:
        return self.words.get(self.party[line.pk], set())

    def proven_one_party(self, one: Interaction, other: Interaction) -> None:
        """From now on the two are known to be one: what is of either is of both."""
        kept, gone = self.party[other.pk], self.party[one.pk]
        self.party = {line: kept if name == gone else name for line, name in self.party.items()}
        for of in (self.words, self.references):
            of.setdefault(kept, set()).update(of.pop(gone, set()) if gone != kept else set())


def happens(ground: Ground, step: tuple[str, int, int]) -> None:
    kind, browser, caller = step
    if kind == "chat says":
        line = ground.line("chat", browser)
        parties.says(line, ground.text(line))
    elif kind == "caller says":
        line = ground.line("call", caller)
        parties.says(line, ground.text(line))
    elif kind in ("chat is told", "caller is told"):
        line = ground.line("chat", browser) if kind == "chat is told" else ground.line("call", caller)
        parties.is_told(line, ground.text(line))
    elif kind == "caller books":
        line = ground.line("call", caller)
        body = ground.text(line)
        reference = f"HH-{ground.count}"
        ground.references.setdefault(ground.party[line.pk], set()).add(reference)
        booked = NewEntry(kind="booking.made", actor_kind="assistant", body=body, data={"reference": reference}, interaction=line)
        append(line.conversation_id, booked)
    elif kind == "code":
        chat, call = ground.line("chat", browser), ground.line("call", caller)
        code, _row = joining.issue_code(chat)
        if joining.redeem_code(code, call):
            ground.proven_one_party(call, chat)
    elif kind == "yes":
        with transaction.atomic():
            joining.join(ground.line("call", caller), ground.line("chat", browser).conversation, method="yes", sentence="Yes.")
    elif kind == "staff joins":
        one, other = ground.line("chat", browser).conversation.customer, ground.line("call", caller).conversation.customer
        if records.root_of(one) != records.root_of(other):
            merging.join_customers(one, other, evidence={}, made_by="tests")
    elif kind == "staff separates":
        for link in CustomerLink.objects.filter(active=True).order_by("-pk")[:1]:
            merging.separate_customers(link, undone_by="tests")
    else:
        line = ground.line("call", caller)
        append(line.conversation_id, NewEntry(kind="note", actor_kind="agent", body="for staff", audience="staff"))


async def shown(browser: Visitor) -> list[dict[str, Any]]:
    async with open_widget() as widget:
        await widget.hello(token=browser.token)
        return widget.entries


def bodies(entries: list[str]) -> set[str]:
    return {body for body in entries if body.startswith("words ")}


KINDS = [
    "chat says", "caller says", "chat is told", "caller is told", "caller books", "code", "yes", "staff joins", "staff separates", "note",
]  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, BROWSERS - 1), st.integers(0, CALLS - 1)), min_size=3, max_size=14)


@given(STEPS)
@example([("caller says", 0, 0), ("chat says", 0, 0), ("staff joins", 0, 0), ("caller says", 0, 2), ("code", 0, 2)])
@example([("caller says", 0, 0), ("caller books", 0, 0), ("chat says", 1, 0), ("caller says", 0, 2), ("code", 1, 2), ("chat says", 1, 0)])
@example([("caller says", 0, 0), ("chat says", 0, 0), ("yes", 0, 0), ("chat is told", 0, 0), ("caller is told", 0, 0)])
@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_party_is_shown_its_own_lines_and_nothing_else(steps: list[tuple[str, int, int]]) -> None:
    """However chats, spoofed calls, codes, answers and staff's joinings follow each other."""
    ground = Ground()
    try:
        for step in steps:
            happens(ground, step)
        for line_id in ground.party:
            line = Interaction.objects.get(pk=line_id)
            seen = access.seen_by_party(line)
            assert bodies(list(seen.values_list("body", flat=True))) <= ground.own(line)
            assert not seen.filter(audience="staff").exists()
            assert guard.references_made_by(line) <= ground.references.get(ground.party[line_id], set())
            own_here = Entry.objects.filter(interaction=line, conversation=line.conversation_id, body__startswith="words ")
            assert not own_here.exclude(pk__in=seen).exists(), "its own words are not withheld"
        for which, line in ground.chats.items():
            entries = asyncio.run(shown(ground.browsers[which]))
            assert bodies([entry["body"] for entry in entries]) <= ground.own(line)
        assert Conversation.objects.exists()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE conversations_customer, routing_decision, routing_workitem CASCADE")
