"""May we? By what was said on either record, in whatever order, joined and separated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models.functions import Now
from hypothesis import example, given
from hypothesis import strategies as st

from conversations.chat import visitor
from conversations.models import Consent, Customer, CustomerLink, Entry, EntryPoint, Identifier, Interaction, Suppression
from conversations.selectors import consent as ledger
from conversations.services import consent, consent_on_lines, merging, suppression
from conversations.services.consent import NotShown, Said
from tests.record import parties, rows
from tests.support.examples import examples

pytestmark = pytest.mark.django_db
SAM, OTHER = ("phone", "+447700900123"), ("phone", "+447700900456")
BY_AGENT = Said(given_by="agent", how="said", recorded_by="Ann", assurance="claimed")
_numbers = count(1)


def says(customer: Customer, purpose: str, decision: str, **more: Any) -> Consent:
    wording = "May we?" if decision == "given" else ""
    return consent.record(customer, purpose=purpose, decision=decision, wording=wording, **{"said": BY_AGENT, **more})


def asks(customer: Customer, *, assurance: str = "network_hint") -> Consent:
    """A call back to Sam's number is asked for, good for a day."""
    said = Said(given_by="customer", how="said", recorded_by="tests", assurance=assurance)
    until = Now() + timedelta(days=1)
    return says(customer, "outbound_call", "given", said=said, identifier=SAM, asked_for=True, expires_at=until)


def answer(customer: Customer, purpose: str, **more: Any) -> str:
    return consent.may_we(customer, purpose, **more).code


class TestOneRecord:
    """What one customer said."""

    @pytest.mark.parametrize(
        ("purpose", "allowed"), [("contact", True), ("outbound_call", False), ("sms", False), ("marketing", False)]
    )
    def test_when_nothing_was_said(self, purpose: str, allowed: bool) -> None:
        found = consent.may_we(rows.customer(), purpose, identifier=SAM)
        assert (found.allowed, found.because) == (allowed, None)
        assert found.sentence

    def test_a_yes_a_no_and_a_yes_again(self) -> None:
        sam = rows.customer()
        given = says(sam, "sms", "given")
        found = consent.may_we(sam, "sms", identifier=SAM)
        assert (found.allowed, found.code, found.because) == (True, "given", given)
        taken_back = says(sam, "sms", "revoked")
        found = consent.may_we(sam, "sms", identifier=SAM)
        assert (found.allowed, found.code, found.because) == (False, "revoked", taken_back)
        assert consent.may_we(sam, "sms", identifier=SAM, at=given.at).allowed, "as it was then"
        says(sam, "sms", "given")
        assert answer(sam, "sms") == "given"

    def test_a_yes_for_one_number_is_for_no_other(self) -> None:
        sam = rows.customer()
        says(sam, "sms", "given", identifier=SAM)
        assert answer(sam, "sms", identifier=SAM) == "given"
        assert answer(sam, "sms", identifier=OTHER) == "not_asked"
        assert answer(sam, "sms") == "not_asked"

    def test_a_general_yes_lifts_no_no_to_one_number(self) -> None:
        sam = rows.customer()
        says(sam, "sms", "refused", identifier=SAM)
        says(sam, "sms", "given")
        assert answer(sam, "sms", identifier=SAM) == "refused"
        assert answer(sam, "sms", identifier=OTHER) == "given"

    def test_offers_by_one_way(self) -> None:
        sam = rows.customer()
        says(sam, "marketing", "given", way="email")
        assert answer(sam, "marketing", way="email") == "given"
        assert answer(sam, "marketing", way="text", identifier=SAM) == "not_asked"
        says(sam, "marketing", "given")
        says(sam, "sms", "revoked")
        assert answer(sam, "marketing", way="text", identifier=SAM) == "revoked", "who wants no texts wants no offers by text"
        assert answer(sam, "marketing", way="call", identifier=SAM) == "given"

    def test_no_contact_beats_every_yes_but_a_later_request(self) -> None:
        sam = rows.customer()
        says(sam, "outbound_call", "given")
        asks(sam)
        says(sam, "contact", "revoked")
        assert answer(sam, "outbound_call", identifier=SAM) == "no_contact"
        asks(sam)
        assert answer(sam, "outbound_call", identifier=SAM) in ("asked_for", "given")
        assert answer(sam, "outbound_call", identifier=OTHER) == "no_contact"
        assert answer(sam, "sms", identifier=SAM) == "no_contact"
        says(sam, "marketing", "given")
        assert answer(sam, "marketing", way="call", identifier=SAM) == "no_contact", "a request is for an answer, not for offers"

    def test_a_request_ends(self) -> None:
        sam = rows.customer()
        row = asks(sam)
        assert answer(sam, "outbound_call", identifier=SAM) == "asked_for"
        assert row.expires_at is not None
        assert answer(sam, "outbound_call", identifier=SAM, at=row.expires_at) == "ended"

    def test_a_request_of_a_stranger_takes_back_no_no(self) -> None:
        """Somebody else's number typed into a chat."""
        sam = rows.customer()
        says(sam, "outbound_call", "refused")
        asks(sam, assurance="claimed")
        assert answer(sam, "outbound_call", identifier=SAM) == "refused"

    def test_a_repetition_writes_nothing(self) -> None:
        sam = rows.customer()
        said = Said(given_by="agent", how="said", recorded_by="Ann", assurance="claimed", source_id="once")
        assert says(sam, "sms", "refused", said=said) == says(sam, "sms", "refused", said=said)
        assert Consent.objects.count() == 1

    def test_an_erasure_leaves_no_number_and_keeps_the_proof(self) -> None:
        sam = rows.customer()
        says(sam, "sms", "refused", identifier=SAM)
        assert consent.erase_of(sam) == 1
        row = Consent.objects.get()
        assert (row.purpose, row.decision, row.value) == ("sms", "refused", ledger.value_hash(*SAM))
        assert consent.erase_of(sam) == 0


class TestRecording:
    """By the policy of the entry point and by what was said on the call."""

    def call(self, policy: str) -> tuple[Customer, Interaction]:
        door = rows.phone_line()
        EntryPoint.objects.filter(pk=door.pk).update(recording_policy=policy)
        line = rows.interaction(door=EntryPoint.objects.get(pk=door.pk), party=SAM[1], assurance="network_hint")
        return line.conversation.customer, line

    def test_policies(self) -> None:
        for policy, code in (("not_recorded", "not_recorded"), ("announce", "announced"), ("ask_first", "not_asked")):
            customer, line = self.call(policy)
            assert answer(customer, "recording", interaction=line) == code

    def test_a_no_stands_for_the_next_call_and_a_yes_only_for_its_own(self) -> None:
        customer, line = self.call("announce")
        consent_on_lines.keep(line, purpose="recording", agrees=False, recorded_by="tests")
        later = rows.interaction(line.conversation, door=line.entry_point, party=SAM[1], assurance="network_hint")
        assert answer(customer, "recording", interaction=line) == answer(customer, "recording", interaction=later) == "refused"
        EntryPoint.objects.update(recording_policy="ask_first")
        later.entry_point.refresh_from_db()
        consent_on_lines.keep(later, purpose="recording", agrees=True, recorded_by="tests")
        assert answer(customer, "recording", interaction=later) == "given"
        third = rows.interaction(line.conversation, door=later.entry_point, party=SAM[1], assurance="network_hint")
        assert answer(customer, "recording", interaction=third) == "not_asked"

    def test_a_caller_without_a_number_may_say_both(self) -> None:
        customer, line = self.call("ask_first")
        Interaction.objects.filter(pk=line.pk).update(party="", assurance="claimed")
        line.refresh_from_db()
        consent_on_lines.keep(line, purpose="recording", agrees=True, recorded_by="tests")
        assert answer(customer, "recording", interaction=line) == "given"
        consent_on_lines.keep(line, purpose="recording", agrees=False, recorded_by="tests")
        assert answer(customer, "recording", interaction=line) == "revoked"

    def test_without_the_call_there_is_no_answer(self) -> None:
        with pytest.raises(ValueError, match="depends on the call"):
            consent.may_we(rows.customer(), "recording")


class TestOnALine:
    """What a party says counts for as much as it has shown."""

    def test_a_caller_speaks_for_their_number_alone(self, company: EntryPoint) -> None:
        line = parties.call()
        kept = consent_on_lines.keep(line, purpose="outbound_call", agrees=False, recorded_by="Harbor")
        assert [(row.kind, row.value, row.assurance) for row in kept.rows] == [(*SAM, "network_hint")]
        assert not kept.whole_record
        told = Entry.objects.get(kind="consent.refused")
        assert told.audience == "staff"
        assert "Not proven who said it." in told.body
        consent_on_lines.keep(line, purpose="outbound_call", agrees=True, recorded_by="Harbor")
        assert answer(line.conversation.customer, "outbound_call", identifier=SAM) == "given"

    def test_a_visitor_speaks_for_what_they_gave(self, company: EntryPoint) -> None:
        """A number typed by a stranger is kept off on the stranger's record, and on nobody else's."""
        sam = parties.call().conversation.customer
        says(sam, "outbound_call", "given", identifier=SAM)
        chat = parties.chat(visitor.new())
        stranger = chat.conversation.customer
        learn_phone(chat, SAM[1])
        consent_on_lines.keep(chat, purpose="outbound_call", agrees=False, recorded_by="Harbor")
        assert answer(stranger, "outbound_call", identifier=SAM) == "refused"
        assert answer(sam, "outbound_call", identifier=SAM) == "given"

    @pytest.mark.parametrize("purpose", ["contact", "outbound_call", "sms", "marketing"])
    def test_a_visitor_agrees_to_nothing(self, company: EntryPoint, purpose: str) -> None:
        chat = parties.chat(visitor.new())
        with pytest.raises(NotShown):
            consent_on_lines.keep(chat, purpose=purpose, agrees=True, recorded_by="Harbor")
        assert not Consent.objects.exists()

    def test_a_caller_agrees_to_no_offers(self, company: EntryPoint) -> None:
        """A number shown is a hint, and offers need more than that."""
        with pytest.raises(NotShown):
            consent_on_lines.keep(parties.call(), purpose="marketing", agrees=True, recorded_by="Harbor")

    def test_a_caller_who_wants_no_contact_is_on_the_list(self, company: EntryPoint) -> None:
        line = parties.call()
        consent_on_lines.keep(line, purpose="contact", agrees=False, recorded_by="Harbor")
        assert suppression.is_suppressed(*SAM)
        assert Entry.objects.filter(kind="contact.suppressed").count() == 1
        somebody_else = rows.customer("Ada")
        says(somebody_else, "outbound_call", "given")
        assert answer(somebody_else, "outbound_call", identifier=SAM) == "suppressed"


def learn_phone(line: Interaction, number: str) -> None:
    from conversations.services import facts
    from conversations.services.facts import LearnedFact

    facts.learn(line.conversation, [LearnedFact("phone", number)], interaction=line, from_seq=1)


class TestTheList:
    """Numbers and addresses that are never contacted."""

    def test_it_beats_every_yes_until_it_is_lifted(self) -> None:
        sam = rows.customer()
        says(sam, "sms", "given")
        row, created = suppression.suppress("phone", "07700 900123", region="GB", reason="Asked.", added_by="Maya")
        assert created
        assert answer(sam, "sms", identifier=SAM) == "suppressed"
        assert answer(sam, "sms", identifier=OTHER) == "given"
        with pytest.raises(suppression.NoReason):
            suppression.lift(row, reason=" ", lifted_by="Maya")
        assert suppression.lift(row, reason="They asked.", lifted_by="Maya")
        assert not suppression.lift(row, reason="Again.", lifted_by="Maya")
        assert answer(sam, "sms", identifier=SAM) == "given"

    def test_a_call_back_asked_for_on_its_own_line_is_let_through(self) -> None:
        sam = rows.customer()
        suppression.suppress(*SAM, reason="Asked.", added_by="Maya")
        asks(sam, assurance="claimed")
        assert answer(sam, "outbound_call", identifier=SAM) == "suppressed"
        asks(sam)
        assert answer(sam, "outbound_call", identifier=SAM) == "asked_for"
        assert answer(sam, "sms", identifier=SAM) == "suppressed"

    def test_it_outlives_an_erasure(self) -> None:
        suppression.suppress(*SAM, reason="Sam asked.", added_by="Maya")
        suppression.forget_value(*SAM)
        row = Suppression.objects.get()
        assert (row.value, row.reason) == ("", "Kept after an erasure.")
        assert suppression.is_suppressed(*SAM)
        assert not suppression.suppress(*SAM, reason="Again.", added_by="Maya")[1]

    def test_a_file_is_taken_in_once(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "list.csv"
        good = ["07700 900123,", "sam@example.org,email"]
        mixed = ["nonsense,phone", "", "+44 7700 900456,phone", "x,fax", "07700900123,phone"]
        file.write_text("\n".join(["value,kind", *good, *mixed]))
        with pytest.raises(CommandError, match="2 lines"):
            call_command("suppress", str(file), reason="Bought list", region="gb")
        told = capsys.readouterr()
        assert "3 added, 1 known already" in told.out
        assert "line 4" in told.err
        assert "line 7" in told.err
        assert suppression.is_suppressed(*SAM)
        assert suppression.is_suppressed("email", "sam@example.org")
        file.write_text("\ufeffvalue\n07700 900123\nSam@Example.org\n")
        call_command("suppress", str(file), reason="Bought list", region="gb")
        assert "0 added, 2 known already" in capsys.readouterr().out

    @pytest.mark.parametrize("content", [b"", b"number\n0770\n", b"\xff\xfe\x00bad"])
    def test_a_file_that_is_none_is_refused(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "list.csv"
        file.write_bytes(content)
        with pytest.raises(CommandError):
            call_command("suppress", str(file), reason="Bought list", region="gb")
        with pytest.raises(CommandError):
            call_command("suppress", str(tmp_path / "missing.csv"), reason="Bought list")


# --- Any ledger, joined and separated


@dataclass(frozen=True)
class Word:
    """One thing said on one of the records, at a minute of its own."""

    record: int
    purpose: str
    decision: str
    way: str = ""
    value: str = ""
    asked: bool = False
    shown: bool = True
    minutes: int = 0


THEMES = [("sms",), ("outbound_call", "contact"), ("marketing",), ("marketing", "sms"), ("contact", "outbound_call", "sms", "marketing")]
"""Purposes that have to do with each other, so that what is said often meets."""


@st.composite
def histories(draw: st.DrawFn) -> list[Any]:
    """Up to nine things that happen: words on up to three records, and these joined and separated."""
    theme, record = draw(st.sampled_from(THEMES)), st.integers(0, draw(st.sampled_from([0, 1, 1, 2])))
    happened = []
    for kind in draw(st.lists(st.sampled_from(["yes", "yes", "no", "no", "request", "join", "join", "separate"]), max_size=9)):
        if kind in ("join", "separate"):
            happened.append((kind, draw(record), draw(record)))
            continue
        purposes = [each for each in theme if kind != "request" or each in ("outbound_call", "sms")]
        if purposes:
            happened.append(draw(words_of(kind, purposes, record)))
    return happened


def words_of(kind: str, purposes: Sequence[str], record: st.SearchStrategy[int]) -> st.SearchStrategy[Word]:
    """A yes, a no or a request for one of these purposes."""
    number = st.sampled_from([SAM[1], OTHER[1]] if kind == "request" else ["", "", SAM[1], OTHER[1]])
    return st.builds(
        Word,
        record=record,
        purpose=st.sampled_from(purposes),
        decision=st.sampled_from(["refused", "revoked"]) if kind == "no" else st.just("given"),
        way=st.sampled_from(["", "text", "email"]) if list(purposes) == ["marketing"] else st.just(""),
        value=number,
        asked=st.just(kind == "request"),
        shown=st.booleans() if kind == "request" else st.just(True),
        minutes=st.sampled_from([1, 2, 5, 60]),
    )


START = datetime(2026, 1, 1, tzinfo=UTC)


def expected(
    words: Sequence[tuple[int, Word]], joined: dict[frozenset[int], int], me: int, now: int, purpose: str, way: str, value: str
) -> bool:
    """The answer by the rules as they are written in docs/decisions, worked out the long way round.

    `joined` are the pairs that count as one, with the minute since when.
    """
    mine = [(minute, word) for minute, word in words if word.record == me or frozenset({me, word.record}) in joined]

    def lasts(minute: int, word: Word) -> bool:
        return not word.asked or minute + word.minutes > now

    def about(word: Word, asked: str, by: str) -> bool:
        return word.purpose == asked and word.way in ("", by) and word.value in ("", value)

    def forbidden(asked: str, by: str, *, but: str = "", requests: bool = True) -> bool:
        for minute, no in mine:
            if no.decision == "given" or not about(no, asked, by):
                continue
            lifted = False
            for later, yes in mine:
                same_thing = about(yes, asked, by) or (but != "" and yes.asked and yes.purpose == but and yes.value == value)
                counts = yes.decision == "given" and lasts(later, yes) and (not yes.asked or (yes.shown and requests))
                narrow = no.way in ("", yes.way) and no.value in ("", yes.value)
                together = yes.record == no.record or later > joined[frozenset({yes.record, no.record})]
                lifted = lifted or (same_thing and counts and narrow and together and later > minute)
            if not lifted:
                return True
        return False

    own = {"text": "sms", "call": "outbound_call"}.get(way)
    if forbidden("contact", "", but=purpose) or forbidden(purpose, way) or (own and forbidden(own, "", requests=False)):
        return False
    return purpose == "contact" or any(
        word.decision == "given" and about(word, purpose, way) and lasts(minute, word) for minute, word in mine
    )


@examples(30)
@given(events=histories())
@example(events=[Word(0, "sms", "refused"), Word(1, "sms", "given"), ("join", 0, 1)])
@example(events=[Word(0, "sms", "refused"), ("join", 0, 1), Word(1, "sms", "given"), ("separate", 0, 0)])
@example(events=[Word(0, "sms", "refused"), Word(0, "sms", "given", value=SAM[1], asked=True, shown=False, minutes=60)])
def test_the_answer_is_that_of_the_rules_whatever_happened(db: None, events: list[Any]) -> None:
    """Random words on three records that are joined and separated between them, against the rules worked out on their own."""
    with transaction.atomic():
        people = [rows.customer(f"Record {number}") for number in range(3)]
        links: dict[frozenset[int], tuple[CustomerLink, int]] = {}
        words: list[tuple[int, Word]] = []
        for minute, event in enumerate(events, start=1):
            at = START + timedelta(minutes=minute)
            if isinstance(event, Word):
                write(people[event.record], event, at)
                words.append((minute, event))
            elif event[0] == "join" and event[1] != event[2]:
                join(people, links, event[1], event[2], minute)
            elif links and event[0] == "separate":
                pair = sorted(links, key=sorted)[event[1] % len(links)]
                merging.separate_customers(links.pop(pair)[0], undone_by="tests")
        now = len(events) + 1
        joined = together(links)
        for me, customer in enumerate(people):
            for purpose, way in (("contact", ""), ("outbound_call", ""), ("sms", ""), ("marketing", "text"), ("marketing", "email")):
                for value in ("", SAM[1]):
                    where = ("phone", value) if value else None
                    found = consent.may_we(customer, purpose, way=way, identifier=where, at=START + timedelta(minutes=now))
                    assert found.allowed == expected(words, joined, me, now, purpose, way, value), (purpose, way, value, me, found)
                    assert found.because is None or found.because.customer_id == customer_now(customer)
        transaction.set_rollback(True)


def write(customer: Customer, word: Word, at: datetime) -> None:
    """One word, straight into the ledger: on the record it was said on, counting for whatever that is joined into."""
    Consent.objects.create(
        customer_id=customer_now(customer),
        original_customer=customer,
        purpose=word.purpose,
        way=word.way,
        kind="phone" if word.value else "",
        value=word.value,
        decision=word.decision,
        asked_for=word.asked,
        wording="May we?" if word.decision == "given" else "",
        given_by="agent",
        how="said",
        recorded_by="tests",
        assurance="network_hint" if word.shown else "claimed",
        at=at,
        expires_at=at + timedelta(minutes=word.minutes) if word.asked else None,
    )


def customer_now(customer: Customer) -> int:
    fresh = Customer.objects.get(pk=customer.pk)
    return fresh.root_id or fresh.pk


def join(people: list[Customer], links: dict[frozenset[int], tuple[CustomerLink, int]], one: int, other: int, minute: int) -> None:
    """Joins the records that two count for, unless they are one already, and dates the link by the minute."""
    roots = [customer_now(people[each]) for each in (one, other)]
    if roots[0] == roots[1]:
        return
    link = merging.join_customers(people[one], people[other], evidence={}, made_by="tests")
    CustomerLink.objects.filter(pk=link.pk).update(made_at=START + timedelta(minutes=minute))
    numbers = {person.pk: number for number, person in enumerate(people)}
    links[frozenset({numbers[roots[0]], numbers[roots[1]]})] = (link, minute)


def together(links: dict[frozenset[int], tuple[CustomerLink, int]]) -> dict[frozenset[int], int]:
    """The pairs of records that are one now, with the minute since when: the latest link on the way from one to the other."""
    found = {pair: minute for pair, (_link, minute) in links.items()}
    for middle in range(3):
        ends = [end for end in range(3) if end != middle]
        legs = [found.get(frozenset({middle, end})) for end in ends]
        if all(leg is not None for leg in legs):
            found.setdefault(frozenset(ends), max(leg for leg in legs if leg is not None))
    return found


def test_a_no_goes_back_with_the_record_that_brought_the_number() -> None:
    """Said while two records were one; after they are separated it stands where the number is."""
    sam, ada = rows.customer("Sam"), rows.customer("Ada")
    for each, (kind, value) in ((sam, SAM), (ada, OTHER)):
        Identifier.objects.create(customer=each, original_customer=each, kind=kind, value=value, assurance="network_hint", source="test")
    link = merging.join_customers(sam, ada, evidence={}, made_by="tests")
    says(ada, "sms", "given")
    says(ada, "sms", "refused", identifier=SAM)
    assert answer(ada, "sms", identifier=SAM) == answer(sam, "sms", identifier=SAM) == "refused"
    merging.separate_customers(link, undone_by="tests")
    says(sam, "sms", "given")
    assert answer(sam, "sms", identifier=SAM) == "refused"
    assert answer(ada, "sms", identifier=SAM) == "given"


def test_answers_that_are_shown() -> None:
    """One a scope, with the row that says so; a yes that a no elsewhere closes is shown as not counting."""
    sam = rows.customer()
    says(sam, "sms", "given", identifier=SAM)
    no = says(sam, "sms", "revoked")
    shown = {each.purpose: each.answers for each in ledger.answers_of(sam)}
    found = [(each.consent.value, each.consent.decision, each.holds) for each in shown["sms"]]
    assert found == [("", "revoked", False), (SAM[1], "given", False)]
    assert shown["sms"][0].consent == no
    assert shown["marketing"] == ()


def test_a_wish_to_be_left_alone_is_shown_to_stand_above_every_yes() -> None:
    """Otherwise a person reads that calls are agreed to, and calls. A recording is no contact."""
    sam = rows.customer()
    for purpose in ("outbound_call", "recording"):
        says(sam, purpose, "given", identifier=SAM)
    says(sam, "contact", "refused", identifier=SAM)
    shown = {each.purpose: [answer.holds for answer in each.answers] for each in ledger.answers_of(sam)}
    assert (shown["outbound_call"], shown["recording"], shown["contact"]) == ([False], [True], [False])


def test_a_yes_of_another_record_must_be_said_after_the_joining() -> None:
    """The joining may be wrong: what one had closed is not opened by what the other said before."""
    sam, ada = rows.customer("Sam"), rows.customer("Ada")
    says(sam, "sms", "refused")
    says(ada, "sms", "given")
    link = merging.join_customers(sam, ada, evidence={}, made_by="tests")
    assert answer(sam, "sms") == answer(ada, "sms") == "refused"
    says(ada, "sms", "given")
    assert answer(sam, "sms") == answer(ada, "sms") == "given"
    merging.separate_customers(link, undone_by="tests")
    assert (answer(sam, "sms"), answer(ada, "sms")) == ("refused", "given")
