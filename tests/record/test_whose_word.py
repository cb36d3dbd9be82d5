"""Whose word counts: what a line says that has proven less never stands in for what the customer said, and is lost to nobody."""

from __future__ import annotations

import pytest

from conversations.chat import visitor
from conversations.models import Conversation, EntryPoint, Interaction
from conversations.selectors import access, said
from conversations.services import facts, joining, merging, proving
from conversations.services.facts import LearnedFact
from tests.record.parties import VICTIM, call, chat, place_of

pytestmark = pytest.mark.usefixtures("company")


@pytest.fixture
def customer(company: EntryPoint) -> Interaction:
    """The customer's chat, in whose conversation calls from their number are filed; nothing is proven yet."""
    line = chat(visitor.new())
    learns(line, name="Jane Rowe", postcode="HB2 2BB")
    joined = call(VICTIM)
    merging.join_customers(joined.conversation.customer, line.conversation.customer, evidence={}, made_by="tests")
    return line


def learns(line: Interaction, **told: str) -> None:
    place = place_of(line)
    facts.learn(place, [LearnedFact(*each) for each in told.items()], interaction=now(line), from_seq=1)


def now(line: Interaction) -> Interaction:
    return Interaction.objects.select_related("conversation").get(pk=line.pk)


def proves(line: Interaction) -> None:
    proving.attest(now(line), by="Ann", note="Knows the last invoice.")


def built_on(line: Interaction) -> dict[str, str]:
    return {name: fact.value for name, fact in facts.known_to(place_of(line), now(line)).items()}


def for_people(conversation: Conversation) -> dict[str, str]:
    return {name: row["value"] for name, row in Conversation.objects.get(pk=conversation.pk).facts.items()}


@pytest.mark.parametrize("proven_first", [True, False])
def test_a_spoofed_call_replaces_nothing_of_the_customer(customer: Interaction, proven_first: bool) -> None:
    """Whether they prove themselves before or after it; the caller goes on with their own words."""
    if proven_first:
        proves(customer)
    caller = call(VICTIM)
    assert place_of(caller) == place_of(customer)
    learns(caller, name="Mallory Black", postcode="HB1 2AB", phone="+447700900999")
    if not proven_first:
        assert for_people(place_of(customer))["name"] == "Mallory Black", "nobody has proven anything, so the last word counts"
        proves(customer)
    assert built_on(customer) == {"name": "Jane Rowe", "postcode": "HB2 2BB"}
    assert built_on(caller) == {"name": "Mallory Black", "postcode": "HB1 2AB", "phone": "+447700900999"}
    assert for_people(place_of(customer)) == {"name": "Jane Rowe", "postcode": "HB2 2BB", "phone": "+447700900999"}


def test_people_see_both_with_who_said_it_and_how_sure(customer: Interaction) -> None:
    """What counts comes first."""
    proves(customer)
    learns(call(VICTIM), name="Mallory Black")
    shown = [(each.value, each.channel, each.assurance, each.counts) for each in said.said_in(place_of(customer)) if each.name == "name"]
    assert shown == [("Jane Rowe", "chat", "verified", True), ("Mallory Black", "voice", "network_hint", False)]


def test_the_customer_changes_their_own_words_and_an_unproven_line_its_own(customer: Interaction) -> None:
    """Each as often as they like, also back to what was said before."""
    proves(customer)
    caller = call(VICTIM)
    for postcode in ("HB1 4EF", "HB2 2BB", "HB1 4EF"):
        learns(caller, postcode="HB9 9ZZ")
        learns(customer, postcode=postcode)
        learns(caller, postcode="HB8 8YY")
        assert (built_on(customer)["postcode"], built_on(caller)["postcode"]) == (postcode, "HB8 8YY")
    assert for_people(place_of(customer))["postcode"] == "HB1 4EF"


def test_lines_that_have_proven_as_much_are_the_customer_alike(customer: Interaction) -> None:
    """A second line with a proof of its own builds on the first and corrects it; answers to questions are less than a code."""
    proves(customer)
    caller = call(VICTIM)
    proves(caller)
    assert built_on(caller) == {"name": "Jane Rowe", "postcode": "HB2 2BB"}
    learns(caller, postcode="HB1 4EF")
    assert built_on(customer)["postcode"] == "HB1 4EF"
    learns(customer, postcode="HB2 2BB")
    assert built_on(caller)["postcode"] == "HB2 2BB"
    weaker = call(VICTIM)
    proving.prove(weaker, place_of(weaker).customer, method="knowledge", made_by="tests", sentence="Answered.")
    learns(weaker, postcode="HB9 9ZZ")
    assert (built_on(weaker)["postcode"], built_on(customer)["postcode"]) == ("HB9 9ZZ", "HB2 2BB")


def test_a_call_with_the_chats_code_is_the_customers_other_voice(customer: Interaction) -> None:
    """One party: what was said last on either line counts on both."""
    proves(customer)
    code, _row = joining.issue_code(now(customer))
    caller = call(VICTIM)
    joining.redeem_code(code, caller)
    learns(caller, postcode="HB1 4EF")
    assert built_on(customer)["postcode"] == built_on(caller)["postcode"] == "HB1 4EF"


def test_what_was_proven_on_each_line_is_the_same_asked_at_once(customer: Interaction) -> None:
    """`levels_of` says for every line of a conversation what `proven_level` says for one."""
    proves(customer)
    code, _row = joining.issue_code(now(customer))
    with_code, without = call(VICTIM), call(VICTIM)
    joining.redeem_code(code, with_code)
    lines = Interaction.objects.filter(conversation=place_of(customer))
    one_by_one = {line.pk: level for line in lines if (level := access.proven_level(line))}
    assert one_by_one == {customer.pk: "verified", with_code.pk: "verified"} == access.levels_of(place_of(customer).pk)
    assert without.pk not in one_by_one


def test_what_was_learned_before_lines_were_noted_gives_way_like_a_word_of_nobody(customer: Interaction) -> None:
    """An installation that is upgraded in the middle of a conversation goes on with it."""
    conversation = customer.conversation
    learns(customer, postcode="HB1 3CD")
    conversation.refresh_from_db()
    before = {name: {key: value for key, value in row.items() if key != "line"} for name, row in conversation.facts.items()}
    Conversation.objects.filter(pk=conversation.pk).update(facts=before)
    learns(customer, postcode="HB1 9ZZ")
    assert for_people(conversation)["postcode"] == "HB1 9ZZ"
