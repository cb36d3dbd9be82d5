"""Invariant 5, through the selectors and the chat socket: nobody is shown what is not of lines or records proven to be theirs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from conversations.assistant import guard
from conversations.chat import visitor
from conversations.chat.visitor import Visitor
from conversations.flows import going_on_in_chat, signing_in
from conversations.flows.signing_in import Vouched
from conversations.models import Conversation, CustomerLink, Entry, EntryPoint, Interaction
from conversations.selectors import access
from conversations.services import chat_links, identity, joining, knowing, merging, messengers, records, verifying, visitors
from conversations.services.parties import IdentifierClaim
from conversations.services.timeline import NewEntry, append
from conversations.services.visitors import Browser
from tests.record import parties, rows
from tests.support.emptying.rows import empty
from tests.support.examples import examples
from tests.support.sockets import open_widget

pytestmark = pytest.mark.django_db(transaction=True)
NUMBERS = ("+447700900123", "+447700900555")
ADDRESSES = tuple(IdentifierClaim("email", f"person{number}@example.org", "verified") for number in range(2))
PEOPLE = (("Jacinta Quillfeather", "1980-05-17", "HB14QT"), ("Obadiah Wraxall", "1963-11-02", "HB22AA"))
BROWSERS, CALLS = 3, 4


@pytest.fixture(autouse=True)
def harbor(transactional_db: None) -> EntryPoint:
    """A web page and a number. Returns the page."""
    rows.phone_line()
    return rows.entry_point()


@pytest.fixture
def texted() -> Iterator[Phone]:
    """Where text messages go."""
    phone, before = Phone(), list(messengers._text_senders)
    messengers.register_text(phone)
    yield phone
    messengers._text_senders[:] = before


class Phone:
    """Stands in for the company that carries text messages."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, *, to: str, sender: str, text: str, reference: str) -> str:
        self.texts.append(text)
        return f"m-{reference}"


class Ground:
    """What really happened: who each line's party is, what was said and told on it, and what its party has proven to be."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.browsers = [visitor.new().browser for _ in range(BROWSERS)]
        self.chats: dict[int, Interaction] = {}
        self.calls: dict[int, Interaction] = {}
        self.party: dict[int, str] = {}
        self.words: dict[int, set[str]] = {}
        self.references: dict[int, set[str]] = {}
        self.proven: dict[int, set[IdentifierClaim]] = {}
        self.meant_to_see: dict[int, int] = {}
        self.count = 0

    def line(self, kind: str, which: int) -> Interaction:
        """The line of that browser or caller, begun when it is new. Two callers share each number."""
        known = self.chats if kind == "chat" else self.calls
        if which not in known:
            begun = parties.chat(Visitor(self.browsers[which])) if kind == "chat" else parties.call(NUMBERS[which % 2])
            known[which] = begun
            self.is_new_party(begun)
        return self.now(known[which])

    def now(self, line: Interaction) -> Interaction:
        return Interaction.objects.select_related("conversation__customer").get(pk=line.pk)

    def is_new_party(self, *lines: Interaction) -> None:
        """These lines are one party, and nobody else's any more."""
        self.count += 1
        self.party |= {line.pk: f"party {self.count}" for line in lines}

    def text(self, line: Interaction) -> str:
        """Words that are nobody else's."""
        self.count += 1
        text = f"words {self.count}."
        self.words.setdefault(line.pk, set()).add(text)
        return text

    def of_party(self, line: Interaction, of: dict[int, set[str]]) -> set[str]:
        """What is of the party's lines, and of a call that had the link sent by which this chat was opened."""
        mine = {pk for pk, name in self.party.items() if name == self.party[line.pk]}
        mine |= {self.meant_to_see[pk] for pk in mine if pk in self.meant_to_see}
        return set().union(*(of.get(pk, set()) for pk in mine))

    def may_see(self, line: Interaction) -> set[str]:
        """Its own; and what is filed under the records that hold what the party of this very line, or of a chat whose code it has,
        has proven."""
        found = self.of_party(line, self.words)
        roots = {records.root_of(holder) for claim in self.proven_by(line) if (holder := identity.holder_of(claim))}
        filed = Interaction.objects.filter(conversation__customer__in=[root.pk for root in roots])
        return found.union(*(self.words.get(pk, set()) for pk in filed.values_list("pk", flat=True)))

    def proven_by(self, line: Interaction) -> set[IdentifierClaim]:
        return set().union(*(self.proven.get(pk, set()) for pk, name in self.party.items() if name == self.party[line.pk]))

    def proven_one_party(self, one: Interaction, other: Interaction) -> None:
        """From now on the two are known to be one: what is of either is of both."""
        kept, gone = self.party[other.pk], self.party[one.pk]
        self.party = {line: kept if name == gone else name for line, name in self.party.items()}

    def has_risen(self, which: int, claim: IdentifierClaim) -> None:
        """A browser's party has proven something: it goes by another id, and what was tied to the old one is not tied any more."""
        line = self.chats[which]
        self.is_new_party(line)
        self.proven.setdefault(line.pk, set()).add(claim)
        now = self.now(line)
        if now.state != Interaction.State.ENDED:
            self.browsers[which] = replace(self.browsers[which], id=now.party)

    def has_left(self, which: int, browser: Browser) -> None:
        """Whoever sat at the browser signed out; their line ends, and proves nothing any more."""
        line = self.chats.pop(which, None)
        if line:
            self.is_new_party(line)
            self.proven.pop(line.pk, None)
        self.browsers[which] = browser


def happens(ground: Ground, step: tuple[str, int, int]) -> None:
    kind, browser, caller = step
    if kind in PROOFS:
        PROOFS[kind](ground, browser, caller)
    elif kind == "chat says":
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
        ground.references.setdefault(line.pk, set()).add(reference)
        booked = NewEntry(kind="booking.made", actor_kind="assistant", body=body, data={"reference": reference}, interaction=line)
        append(line.conversation_id, booked)
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


# ---- What is proven, and by whom


def the_chats_code_is_keyed_in(ground: Ground, browser: int, caller: int) -> None:
    chat, call = ground.line("chat", browser), ground.line("call", caller)
    code, _row = joining.issue_code(chat)
    if joining.redeem_code(code, call):
        ground.proven_one_party(call, chat)


def a_code_is_mailed_to_the_chat(ground: Ground, browser: int, caller: int) -> None:
    claim = ADDRESSES[caller % 2]
    if _gives_a_mailed_code(ground.line("chat", browser), claim):
        ground.has_risen(browser, claim)


def a_code_is_mailed_to_the_caller(ground: Ground, browser: int, caller: int) -> None:
    """The caller of a shown number has the mailbox of an address, whoever the number belongs to."""
    line, claim = ground.line("call", caller), ADDRESSES[browser % 2]
    if _gives_a_mailed_code(line, claim):
        ground.proven.setdefault(line.pk, set()).add(claim)


def _gives_a_mailed_code(line: Interaction, claim: IdentifierClaim) -> bool:
    try:
        verifying.send(line, claim, made_by="tests")
    except verifying.TooManyCodes:
        return False
    found = re.search(r"\b\d{6}\b", mail.outbox[-1].body)
    assert found
    return verifying.check(line, found[0], made_by="tests").is_right


def a_host_site_signs_in(ground: Ground, browser: int, caller: int) -> None:
    claim = IdentifierClaim("external", f"shop:{caller % 2}", "verified")
    was = ground.browsers[browser]
    vouched = Vouched((claim,), "", "", timezone.now() + timedelta(hours=1), f"{ground.count}".rjust(64, "0"))
    ground.count += 1
    signed = signing_in.sign_in(was, "", vouched, entry_point=rows.entry_point())
    if was.person not in ("", visitors.mark_of(claim)):
        ground.has_left(browser, signed)
    elif browser in ground.chats:
        ground.has_risen(browser, claim)
    ground.browsers[browser] = signed


def the_browser_signs_out(ground: Ground, browser: int, caller: int) -> None:
    signing_in.sign_out(ground.browsers[browser])
    ground.has_left(browser, visitor.new().browser)


def the_number_opens_a_texted_link(ground: Ground, browser: int, caller: int) -> None:
    """Whoever has the number that a call shows opens the link that the call had sent, in a new browser."""
    call = ground.line("call", caller)
    try:
        chat_links.send(call, made_by="tests")
    except chat_links.NoLink:
        return
    found = re.search(r"/c/(\S+)", ground.phone.texts[-1])
    assert found
    guest = visitor.new()
    going_on_in_chat.open_link(found[1], party=guest.party, session=guest.new_session())
    chat = Interaction.objects.filter(channel="chat").latest("pk")
    ground.is_new_party(chat)
    ground.proven[chat.pk] = {IdentifierClaim("phone", call.party, "verified")}
    ground.meant_to_see[chat.pk] = call.pk


def the_caller_answers_questions(ground: Ground, browser: int, caller: int) -> None:
    """Right answers file the line with the person's record, and show none of it."""
    name, born, postcode = PEOPLE[browser % 2]
    with suppress(knowing.TooManyChecks):
        answers = {"name": [name], "date_of_birth": [born], "postcode": [postcode]}
        knowing.check(ground.line("call", caller), answers, tuple(answers), made_by="tests")


PROOFS = {
    "code": the_chats_code_is_keyed_in,
    "code by mail in a chat": a_code_is_mailed_to_the_chat,
    "code by mail on a call": a_code_is_mailed_to_the_caller,
    "host sign-in": a_host_site_signs_in,
    "sign-out": the_browser_signs_out,
    "text link": the_number_opens_a_texted_link,
    "answers": the_caller_answers_questions,
}


def known_people() -> None:
    """Two customers whom the company knows by an address, the site's id, and answers."""
    for number, (name, born, postcode) in enumerate(PEOPLE):
        row = rows.customer(name, date_of_birth=born, postcode=postcode)
        for claim in (ADDRESSES[number], IdentifierClaim("external", f"shop:{number}", "verified")):
            with transaction.atomic():
                identity.remember(row, claim, source="tests")


async def shown(browser: Browser) -> list[dict[str, Any]]:
    async with open_widget() as widget:
        await widget.hello(token=Visitor(browser).token)
        return widget.entries


def bodies(entries: list[str]) -> set[str]:
    return {body for body in entries if body.startswith("words ")}


KINDS = [
    "chat says", "caller says", "chat is told", "caller is told", "caller books", "yes", "staff joins", "staff separates", "note",
    *PROOFS,
]  # fmt: skip
A_LINE_THAT_TURNS_OUT_TO_BE_ANOTHER_CUSTOMERS = [
    ("answers", 0, 1), ("yes", 1, 0), ("chat says", 1, 0), ("text link", 0, 2), ("host sign-in", 1, 0), ("chat says", 1, 3),
]  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, BROWSERS - 1), st.integers(0, CALLS - 1)), min_size=3, max_size=16)


@given(STEPS)
@example([("caller says", 0, 0), ("chat says", 0, 0), ("staff joins", 0, 0), ("caller says", 0, 2), ("code", 0, 2)])
@example([("caller says", 0, 0), ("caller books", 0, 0), ("chat says", 1, 0), ("caller says", 0, 2), ("code", 1, 2), ("chat says", 1, 0)])
@example([("caller says", 0, 0), ("chat says", 0, 0), ("yes", 0, 0), ("chat is told", 0, 0), ("caller is told", 0, 0)])
@example(A_LINE_THAT_TURNS_OUT_TO_BE_ANOTHER_CUSTOMERS)
@examples(12)
def test_a_party_is_shown_its_own_lines_and_what_it_has_proven(texted: Phone, steps: list[tuple[str, int, int]]) -> None:
    """However chats, spoofed calls, codes, answers, proofs, sign-outs and staff's joinings follow each other."""
    ground = Ground(texted)
    known_people()
    try:
        for step in steps:
            happens(ground, step)
        for line_id in ground.party:
            line = Interaction.objects.get(pk=line_id)
            seen = access.seen_by_party(line)
            assert bodies(list(seen.values_list("body", flat=True))) <= ground.may_see(line)
            assert not seen.filter(audience="staff").exists()
            assert guard.references_made_by(line) <= ground.of_party(line, ground.references)
            own_here = Entry.objects.filter(interaction=line, conversation=line.conversation_id, body__startswith="words ")
            assert not own_here.exclude(pk__in=seen).exists(), "its own words are not withheld"
        for which, line in ground.chats.items():
            entries = asyncio.run(shown(ground.browsers[which]))
            assert bodies([entry["body"] for entry in entries]) <= ground.may_see(line)
        assert Conversation.objects.exists() or not ground.words
    finally:
        empty(
            "conversations_customer", "conversations_hostsitetoken", "conversations_retiredvisitor", "routing_decision", "routing_workitem"
        )
