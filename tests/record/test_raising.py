"""What a proven address or number joins, and what it leaves alone: proof of both sides, or only the line moves."""

from __future__ import annotations

import pytest
from django.db import transaction

from conversations.chat import visitor
from conversations.models import Conversation, Customer, CustomerLink, Identifier, Interaction, MatchCandidate, Proof
from conversations.selectors import access
from conversations.services import facts, joining, merging, proving, raising, records
from conversations.services.facts import LearnedFact
from conversations.services.parties import IdentifierClaim
from tests.record import rows
from tests.record.parties import VICTIM, call, chat, is_told, place_of, says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("company")]
EMAIL = IdentifierClaim("email", "jane@example.org", "verified")
OTHER_EMAIL = IdentifierClaim("email", "bob@example.org", "verified")
NUMBER = IdentifierClaim("phone", VICTIM, "verified")


def raised(line: Interaction, claim: IdentifierClaim) -> Interaction:
    with transaction.atomic():
        return raising.raise_line(line, claim, method="one_time_code", made_by="tests", sentence="The code was given.")


def said(line: Interaction, claim: IdentifierClaim) -> None:
    """The party says that this is its address or number."""
    facts.learn(place_of(line), [LearnedFact(claim.kind, claim.value)], interaction=line, from_seq=1)


def record_of(line: Interaction) -> Customer:
    return records.root_of(place_of(line).customer)


def known_customer(claim: IdentifierClaim, secret: str) -> Interaction:
    """Somebody who has proven the identifier in an earlier chat, and said something there."""
    line = chat(visitor.new())
    raised(line, claim)
    says(line, secret)
    return line


def seen_on(line: Interaction) -> set[str]:
    """What the party may see of its conversation, and what was said on the line before it went on there."""
    fresh = Interaction.objects.get(pk=line.pk)
    shown = [access.seen_by_party(fresh), access.seen_before(fresh)]
    return {body for entries in shown for body in entries.filter(kind="message").values_list("body", flat=True)}


def test_an_address_that_is_nobodys_becomes_the_visitors() -> None:
    """The visitor's own record gets it, verified, and the party is the customer from then on."""
    line = chat(visitor.new())
    before = record_of(line)
    raised(line, EMAIL)
    assert record_of(line) == before
    assert Identifier.objects.get(kind="email", customer=before).assurance == "verified"
    assert access.is_the_customer(Interaction.objects.get(pk=line.pk))


def test_a_new_browser_that_proves_a_known_address_is_joined_with_its_record() -> None:
    """Both sides are proven: the token of a browser that is known for nothing else, and the code."""
    earlier = known_customer(EMAIL, "my boiler")
    line = chat(visitor.new())
    says(line, "hello again")
    raised(line, EMAIL)
    assert record_of(line) == record_of(earlier)
    assert CustomerLink.objects.get().evidence["proven"] == "email"
    assert seen_on(line) == {"my boiler", "hello again"}
    assert access.is_the_customer(Interaction.objects.get(pk=line.pk))


def test_a_spoofed_caller_who_proves_an_address_of_their_own_gets_nothing_of_the_number() -> None:
    """The caller ID's record is not theirs: the line goes to a record of its own, and people see a candidate."""
    owner = call()
    is_told(owner, "the victim's visit is on Monday")
    victim = record_of(owner)
    spoofed = call()
    assert record_of(spoofed) == victim
    raised(spoofed, OTHER_EMAIL)
    assert record_of(spoofed) != victim
    assert seen_on(spoofed) == set()
    assert not Identifier.objects.filter(kind="email", customer=victim).exists()
    assert MatchCandidate.objects.get().state == "open"
    assert not CustomerLink.objects.exists()


def test_a_caller_who_proves_the_number_they_call_from_is_its_customer() -> None:
    """The record of the number is theirs, with what was said in it before."""
    first = call()
    is_told(first, "your visit is on Monday")
    again = call()
    raised(again, NUMBER)
    assert record_of(again) == record_of(first)
    assert "your visit is on Monday" in seen_on(again)
    assert Identifier.objects.get(kind="phone", customer=record_of(again)).assurance == "verified"


def test_a_caller_who_proves_a_known_address_moves_there_and_leaves_the_number_alone() -> None:
    """Somebody calls from a friend's phone: their line goes to their record, the friend's record keeps its own."""
    jane = known_customer(EMAIL, "jane's words")
    friend = call()
    is_told(friend, "the friend's words")
    borrowed = call()
    raised(borrowed, EMAIL)
    assert record_of(borrowed) == record_of(jane)
    assert record_of(friend) != record_of(jane)
    assert "the friend's words" not in seen_on(borrowed)


def test_a_first_call_that_proves_a_known_address_is_one_record_with_it() -> None:
    """Nothing else is known of the number, so joining it can open nothing."""
    jane = known_customer(EMAIL, "jane's words")
    first = call("+447700900777")
    raised(first, EMAIL)
    assert record_of(first) == record_of(jane)
    assert Identifier.objects.get(kind="phone", value="+447700900777").customer == record_of(jane)


def test_a_first_caller_who_said_the_address_before_proving_it_is_one_record() -> None:
    """What the party of a first call says of itself is of that call, too."""
    first = call("+447700900777")
    said(first, EMAIL)
    raised(first, EMAIL)
    assert set(Identifier.objects.values_list("kind", "assurance", "customer")) == {
        ("phone", "network_hint", record_of(first).pk),
        ("email", "verified", record_of(first).pk),
    }
    assert not MatchCandidate.objects.exists()


def test_an_address_that_was_said_on_an_earlier_call_from_the_number_proves_nothing_of_the_number() -> None:
    """Whoever calls second may be somebody else who shows the same number."""
    said(call(), EMAIL)
    second = call()
    number = record_of(second)
    raised(second, EMAIL)
    assert record_of(second) != number
    assert MatchCandidate.objects.get().state == "open"


@pytest.mark.parametrize("said_first", [False, True])
def test_an_address_that_two_people_give_makes_a_pair_whichever_gives_it_first(said_first: bool) -> None:
    """One types it, one proves it: people see that the two may be one person."""
    proven, typed = chat(visitor.new()), chat(visitor.new())
    steps = [lambda: raised(proven, EMAIL), lambda: said(typed, EMAIL)]
    for step in reversed(steps) if said_first else steps:
        step()
    pair = MatchCandidate.objects.get()
    assert {pair.customer, pair.other} == {record_of(proven), record_of(typed)}
    assert (pair.evidence["same"], pair.evidence["value"]) == ("email", EMAIL.value)
    raised(proven, EMAIL)
    assert MatchCandidate.objects.count() == 1


def test_an_address_that_very_many_have_typed_makes_few_pairs() -> None:
    """So that nobody can bury people in them."""
    for _number in range(9):
        said(chat(visitor.new()), EMAIL)
    raised(chat(visitor.new()), EMAIL)
    assert MatchCandidate.objects.count() == 3


def test_another_person_on_the_same_browser_does_not_get_the_first_ones_record() -> None:
    """A shop's tablet: the second person's address makes a record of its own and opens nothing of the first."""
    tablet = visitor.new()
    jane = chat(tablet)
    says(jane, "jane's words")
    raised(jane, EMAIL)
    janes = record_of(jane)
    bob = chat(tablet)
    raised(bob, OTHER_EMAIL)
    assert record_of(bob) != janes
    assert not Identifier.objects.filter(value=OTHER_EMAIL.value, customer=janes).exists()
    assert not MatchCandidate.objects.exists()
    proofs = Proof.objects.filter(interaction=bob)
    assert [proof.customer for proof in proofs] == [record_of(bob)]


def test_a_second_address_of_the_same_person_is_kept_with_the_first() -> None:
    """Who has proven to be the customer on this line may add another address."""
    line = chat(visitor.new())
    raised(line, EMAIL)
    raised(line, OTHER_EMAIL)
    assert set(Identifier.objects.filter(kind="email", assurance="verified").values_list("customer", flat=True)) == {record_of(line).pk}


def test_what_is_filed_under_a_record_sees_nothing_of_it_by_that() -> None:
    """Staff join a stranger's chat with the victim's record: the stranger still sees only their own words."""
    victim = known_customer(EMAIL, "the victim's words")
    stranger = chat(visitor.new())
    says(stranger, "the stranger's words")
    merging.join_customers(record_of(stranger), record_of(victim), evidence={}, made_by="tests")
    assert seen_on(stranger) == {"the stranger's words"}
    assert not access.is_the_customer(Interaction.objects.get(pk=stranger.pk))


def test_a_proof_goes_back_with_its_record() -> None:
    """After un-joining, who proved one record is that record's customer and no longer the other's."""
    jane = known_customer(EMAIL, "jane's words")
    bob = known_customer(OTHER_EMAIL, "bob's words")
    link = merging.join_customers(record_of(bob), record_of(jane), evidence={}, made_by="tests")
    merging.separate_customers(link, undone_by="tests")
    for line, mine in ((jane, "jane's words"), (bob, "bob's words")):
        assert seen_on(line) == {mine}
        assert access.is_the_customer(Interaction.objects.get(pk=line.pk))


def test_a_withdrawn_or_expired_proof_counts_no_more() -> None:
    """Signing out ends it; so does its time."""
    line = known_customer(EMAIL, "jane's words")
    proving.withdraw(line)
    assert not access.is_the_customer(Interaction.objects.get(pk=line.pk))
    other = known_customer(OTHER_EMAIL, "bob's words")
    Proof.objects.filter(interaction=other).update(expires_at="2020-01-01T00:00:00Z")
    assert not access.is_the_customer(Interaction.objects.get(pk=other.pk))


def test_an_agent_attests_with_a_note() -> None:
    """The caller is the customer on the record from then on, and the history says who checked what."""
    first = call()
    is_told(first, "your visit is on Monday")
    again = call()
    with pytest.raises(ValueError, match="what was checked"):
        proving.attest(again, by="Ann", note="  ")
    proving.attest(again, by="Ann", note="Knows the last invoice.")
    assert "your visit is on Monday" in seen_on(again)
    proof = Proof.objects.get()
    assert (proof.made_by, proof.note, proof.method) == ("Ann", "Knows the last invoice.", "agent")


def test_a_call_with_a_code_of_a_proven_chat_is_as_good_as_the_chat_until_that_ends() -> None:
    """The call carries no proof of its own."""
    line = known_customer(EMAIL, "jane's words")
    code, _row = joining.issue_code(line)
    caller = call("+447700900778")
    joining.redeem_code(code, caller)
    assert access.is_the_customer(Interaction.objects.get(pk=caller.pk))
    proving.withdraw(line)
    assert not access.is_the_customer(Interaction.objects.get(pk=caller.pk))


def test_a_line_with_a_person_stays_with_them() -> None:
    """A call that a person has is not taken from them by a code; nothing of the record it is filed under opens."""
    owner = call()
    is_told(owner, "the victim's words")
    spoofed = call()
    Conversation.objects.filter(pk=place_of(spoofed).pk).update(owner_kind="human", owner_agent=rows.agent())
    raised(spoofed, OTHER_EMAIL)
    assert place_of(spoofed) == place_of(owner)
    assert seen_on(spoofed) == set()
    assert not access.is_the_customer(Interaction.objects.get(pk=spoofed.pk))
