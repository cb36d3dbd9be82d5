"""What a code from the chat, or a yes, proves on a call: that two lines are one party's, and nothing of whose number it is."""

from __future__ import annotations

import pytest
from django.db import transaction

from conversations.chat import visitor
from conversations.flows import takeover
from conversations.models import Conversation, CustomerLink, Entry, EntryPoint, Interaction, MatchCandidate
from conversations.selectors import access, history
from conversations.services import facts, handoff, joining, merging
from conversations.services.facts import LearnedFact
from conversations.services.handoff import Package
from routing.models import WorkItem
from tests.record import parties, rows
from tests.record.parties import VICTIM, call, chat, place_of, says

pytestmark = pytest.mark.usefixtures("company")


@pytest.fixture
def victim(company: EntryPoint) -> Interaction:
    """An earlier call of whom the number belongs to, with a name and a postcode in it."""
    line = call(VICTIM)
    seq = says(line, "secret words")
    facts.learn(
        line.conversation, [LearnedFact("name", "Victor Victim"), LearnedFact("postcode", "HB1 4QT")], interaction=line, from_seq=seq
    )
    return line


def keyed_in(code_of: Interaction, on: Interaction) -> Conversation:
    """The code of a chat is keyed into a call."""
    code, _row = joining.issue_code(code_of)
    joined = joining.redeem_code(code, on)
    assert joined is not None
    return joined


def seen_on(line: Interaction) -> set[str]:
    return set(access.seen_by_party(Interaction.objects.get(pk=line.pk)).values_list("body", flat=True))


def test_ones_own_code_opens_nothing_of_whom_the_number_belongs_to(victim: Interaction) -> None:
    """Somebody shows another one's number and keys in the code of their own chat: the line goes to that chat, alone."""
    own = chat(visitor.new())
    says(own, "my own words")
    spoofed = call(VICTIM)
    assert spoofed.conversation == victim.conversation, "a number is filed under its record at once"
    assert keyed_in(own, spoofed) == place_of(own) == place_of(spoofed)
    assert seen_on(spoofed) >= {"my own words"}
    assert "secret words" not in seen_on(spoofed) | seen_on(own)
    assert "postcode" not in place_of(spoofed).facts
    untouched = place_of(victim)
    assert untouched.facts["postcode"]["value"] == "HB1 4QT"
    assert (untouched.status, untouched.joined_into) == ("open", None)
    assert not CustomerLink.objects.exists()


def test_people_see_a_candidate_with_the_code_as_evidence_and_no_verified_customer(victim: Interaction) -> None:
    """They settle whether the chat's party is whom the number belongs to; the badge says no more than the number does."""
    own, spoofed = chat(visitor.new()), call(VICTIM)
    keyed_in(own, spoofed)
    candidate = MatchCandidate.objects.get()
    assert (candidate.customer, candidate.other) == (place_of(own).customer, place_of(victim).customer)
    assert candidate.evidence["method"] == "code"
    assert access.assurance_of(Interaction.objects.get(pk=spoofed.pk)) == "network_hint"
    facts.learn(place_of(own), [LearnedFact("email", "sam@example.org")], interaction=Interaction.objects.get(pk=spoofed.pk), from_seq=1)
    assert place_of(own).facts["email"]["assurance"] == "network_hint"


def test_what_was_said_on_the_line_before_the_code_goes_along(victim: Interaction) -> None:
    """What the caller replaced in the other one's record is there again, and known where the line is."""
    own, spoofed = chat(visitor.new()), call(VICTIM)
    facts.learn(spoofed.conversation, [LearnedFact("postcode", "HB9 9ZZ")], interaction=spoofed, from_seq=1)
    keyed_in(own, spoofed)
    assert place_of(own).facts["postcode"]["value"] == "HB9 9ZZ"
    assert place_of(victim).facts["postcode"]["value"] == "HB1 4QT"


def asks_for_a_person(line: Interaction) -> WorkItem:
    conversation = place_of(line)
    decision = rows.decision(subject=conversation.public_id.hex)
    return handoff.request(conversation, decision, Package("Asked for a person.", "A leak."), interaction=line).work_item


def test_the_place_in_the_line_goes_along_with_its_time_and_package(victim: Interaction) -> None:
    """Who waits for a person keeps waiting where the line goes on; the conversation that was left waits no more."""
    own, spoofed = chat(visitor.new()), call(VICTIM)
    before = asks_for_a_person(spoofed)
    keyed_in(own, spoofed)
    now = WorkItem.objects.get(state="queued")
    assert now.subject == place_of(own).public_id.hex
    assert (now.enqueued_at, now.kind, now.handoff.summary) == (before.enqueued_at, "live_voice", "A leak.")


def test_a_line_that_a_person_has_stays_with_them(victim: Interaction) -> None:
    """Nobody is cut off by keying in a code; the two lines are known to be one party's all the same."""
    own, spoofed = chat(visitor.new()), call(VICTIM)
    takeover.take_over(place_of(spoofed), rows.agent("Ann"))
    keyed_in(own, spoofed)
    assert place_of(spoofed) == place_of(victim)
    assert "secret words" not in seen_on(spoofed)
    assert Interaction.objects.filter(pk=own.pk, pk__in=access.lines_of_party(spoofed)).exists()
    assert MatchCandidate.objects.get().evidence["method"] == "code"


def test_a_first_call_with_a_code_is_one_record_with_the_chat(company: EntryPoint) -> None:
    """Nothing but the call is known of the number, so its record and its conversation go on in the chat's; it can be taken back."""
    own = chat(visitor.new())
    facts.learn(own.conversation, [LearnedFact("name", "Sam Okafor")], interaction=own, from_seq=1)
    line = call()
    says(line, "said before the code")
    keyed_in(own, line)
    assert list(Conversation.objects.filter(joined_into__isnull=True)) == [place_of(own)]
    assert place_of(line).facts["name"]["value"] == "Sam Okafor"
    assert "said before the code" in {entry.body for entry in history.of_customer(place_of(own).customer)}
    assert not MatchCandidate.objects.exists()
    assert call().conversation == place_of(own)
    link = CustomerLink.objects.get()
    assert (link.evidence["method"], link.active) == ("code", True)
    merging.separate_customers(link, undone_by="Maya")
    assert place_of(line).customer == link.joined
    assert "name" not in place_of(line).facts


def test_a_known_caller_is_a_candidate_and_asked_next_time(victim: Interaction) -> None:
    """The number has a history of its own; it is claimed in the chat's record from now on, and nothing is joined."""
    own, line = chat(visitor.new()), call(VICTIM)
    keyed_in(own, line)
    again = call(VICTIM)
    assert again.conversation == place_of(victim)
    assert joining.claimed_recently(again.party, besides=again.conversation) == place_of(own)


def test_a_yes_to_somebody_elses_claim_shows_them_nothing(victim: Interaction) -> None:
    """A number typed in a stranger's chat, and its owner says yes on the phone: the call goes on there, nothing else does."""
    stranger = chat(visitor.new())
    facts.learn(stranger.conversation, [LearnedFact("phone", VICTIM)], interaction=stranger, from_seq=1)
    line = call(VICTIM)
    with transaction.atomic():
        joining.join(line, place_of(stranger), method="yes", sentence="The caller said yes.")
    says(line, "said after the yes")
    assert place_of(line) == place_of(stranger)
    assert not {"secret words", "said after the yes"} & seen_on(stranger)
    assert not CustomerLink.objects.exists()
    assert MatchCandidate.objects.get().evidence["method"] == "yes"
    assert Interaction.objects.get(pk=line.pk).assurance == "network_hint"


def test_a_call_is_as_good_as_the_chat_that_gave_the_code(company: EntryPoint) -> None:
    """A chat that a host site vouches for is the customer's, and so is a call with its code: both see everything."""
    other = chat(parties.vouched_for("external", "crm:1"))
    says(other, "said in another browser")
    vouched, line = chat(parties.vouched_for("external", "crm:1")), call("+447700900555")
    keyed_in(vouched, line)
    assert "said in another browser" in seen_on(vouched) & seen_on(line)


def test_the_moved_line_is_written_down_in_both(victim: Interaction) -> None:
    """Each conversation says for staff where the line went or came from, with the evidence."""
    own, spoofed = chat(visitor.new()), call(VICTIM)
    keyed_in(own, spoofed)
    noted = {entry.conversation_id: entry for entry in Entry.objects.filter(kind="interaction.moved")}
    assert noted.keys() == {place_of(own).pk, place_of(victim).pk}
    assert all(entry.audience == "staff" and entry.data["evidence"]["method"] == "code" for entry in noted.values())
    parties.is_told(spoofed, "told on the call")
    assert "told on the call" in seen_on(own)
