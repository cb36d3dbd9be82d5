"""Everything that is settled before a brain answers: the words, what they mean, the need, the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from conversations.assistant import account_facts, guard, places, reading
from conversations.assistant.brain import HistoryLine, Reason, TurnContext
from conversations.assistant.guard import Standing
from conversations.assistant.need_of import need_of
from conversations.assistant.playbooks import as_rolled_out, behaviour_of
from conversations.assistant.reading import Reading, Words
from conversations.assistant.tools import find_visits
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import VisitsOfConversations
from conversations.models import Conversation, Entry, EntryPoint, Handoff, Interaction, Playbook
from conversations.models.identifier import Assurance
from conversations.selectors import roll_out
from conversations.selectors.access import assurance_of, is_the_customer, proven_level, seen_on_lines
from conversations.selectors.reach import Reach, reach_of
from conversations.services import facts, speaking, timeline, turns
from conversations.services.consent_on_lines import purposes_to_agree_to
from conversations.services.facts import KnownFact
from conversations.services.timeline import NewEntry
from conversations.services.turns import Claim
from conversations.understanding.languages import LANGUAGES, read_language
from conversations.understanding.read import Understanding
from routing.compiled import CompiledOnce, Given
from routing.configuration import as_it_stands
from routing.models import Decision
from routing.need import Need
from routing.services.decide import decide, score, score_and_decide, who_acts

HISTORY_LINES = 30
MOST_CONVERSATIONS = 20
HANDED_ON: Final = CompiledOnce(
    lambda: Handoff.objects.filter(pk=Given("handoff")).select_related(
        "work_item__decision__queue", "work_item__decision__rule", "work_item__queue"
    )
)
WAITING = """
SELECT handoff.id FROM conversations_handoff AS handoff JOIN routing_workitem AS work ON work.id = handoff.work_item_id
 WHERE handoff.conversation_id = %s AND work.state IN ('queued', 'reserved')
 ORDER BY handoff.requested_at DESC LIMIT 1
"""
CONVERSATION: Final = CompiledOnce(
    lambda: Conversation.objects.filter(pk=Given("conversation")).select_related("customer", "reason")
)
NOTHING_SAID = Understanding("", None, 0.0, (), "normal", 0.0, False, None, ())


@dataclass(frozen=True, slots=True)
class Prepared:
    """A turn that is ready to be answered. `handoff` is the one that waits for a person; `state` is the turn's own memory."""

    claim: Claim
    conversation: Conversation
    interaction: Interaction
    entry_point: EntryPoint
    words: Words
    context: TurnContext
    need: Need
    decision: Decision
    standing: Standing
    handoff: Handoff | None
    state: Mapping[str, Any]
    lines: tuple[int, ...]
    """Those of the party (`access.lines_of_party`), read once for the turn."""

    @property
    def live(self) -> bool:
        """Whether the AI agent answers this conversation itself."""
        return self.standing.live


@as_it_stands()
def prepare(claim: Claim) -> Prepared | None:
    """Reads what is to be answered, learns from it and has routing decide; None when nothing waits for an answer.

    Writes facts, the reason and the decision as entries. Raises routing's NoPublishedRules and UnknownDestination,
    Playbook.DoesNotExist.
    """
    conversation = CONVERSATION.get(conversation=claim.conversation_id)
    stood = turns.understanding_of(conversation)
    words = reading.words_to_answer(conversation.pk, after=claim.done_seq, upto=claim.wanted_seq)
    if words is None:
        return None
    interaction = words.interaction
    entry_point = interaction.entry_point
    reach = reach_of(interaction)
    conversation.form_state = places.place_of(conversation.form_state, interaction, reach.lines)
    playbook = entry_point.playbook
    now = timezone.now().astimezone(ZoneInfo(entry_point.time_zone))
    handled = max(int((conversation.form_state.get(key) or {}).get("seq", 0)) for key in ("announce", "running"))
    text = words.text_after(handled)
    in_share = entry_point.is_in_live_share(conversation.public_id)
    language, asks_only = _language(text, conversation, interaction, playbook, in_share)
    behaviour = as_rolled_out(behaviour_of(entry_point, playbook, language), entry_point)
    found = (
        reading.read(
            text,
            conversation=conversation,
            words=words,
            behaviour=behaviour,
            now=now,
            entry_point=entry_point,
            reach=reach,
            language=language,
        )
        if text
        else Reading(NOTHING_SAID, False, (), frozenset(), {})
    )
    live = roll_out.answers(entry_point, conversation.public_id, reason=conversation.reason, now=now)
    asked = found.understanding.asked_for_human
    known = found.known if found.known is not None else facts.known_to(conversation, interaction, reach=reach)
    need = need_of(conversation, known, opening=entry_point.hours, now=now, asked_for_human=asked, assistant_answers=live)
    need, decision = _decided(need, conversation)
    conversation.score = need.score
    turns.note_understanding(conversation, stood=stood)
    level = proven_level(interaction)
    region = entry_point.default_region
    changed = account_facts.put_right(conversation, known, found.new_facts, level, region=region) | dict(found.changed_facts)
    known = account_facts.with_account(known, conversation, level, region=region)
    told = _told_facts(known, conversation, interaction, level)
    handoff = _waiting_handoff(conversation)
    _note(decision, conversation, interaction)
    state = conversation.form_state
    standing = Standing(
        behaviour=behaviour,
        live=live,
        facts={name: str(fact.value) for name, fact in known.items()},
        said={str(name): str(value) for name, value in dict(state.get("said") or {}).items()},
        zone=ZoneInfo(entry_point.time_zone),
        reachable=_reachable({str(known[name].value) for name in told & {"phone", "email"}}, interaction),
    )
    standing = standing_of(standing, conversation, interaction, reach)
    context = TurnContext(
        conversation=conversation.public_id,
        company=entry_point.company_name,
        language=entry_point.language if entry_point.language.startswith(language) else f"{language}-{entry_point.default_region}",
        region=entry_point.default_region,
        spoken=words.spoken,
        now=now,
        behaviour=behaviour,
        text=found.text,
        hypotheses=words.hypotheses,
        understanding=found.understanding,
        reason=Reason(conversation.reason.code, conversation.reason.name) if conversation.reason else None,
        reason_is_new=found.reason_is_new,
        alternatives=found.alternatives,
        history=_history(interaction, reach.lines),
        facts=known,
        new_facts=found.new_facts,
        changed_facts=changed,
        told_facts=told,
        form_state=state,
        decision=decision.sentence,
        assurance=assurance_of(interaction),
        failed_turns=conversation.failed_turns,
        waits_for_person=handoff is not None and not state.get("callback") and not (_is_for_later(handoff) and not need.in_hours),
        calls_from=interaction.party if words.spoken and interaction.party.startswith("+") else "",
        gloss=found.gloss,
        asks_only_for_language=asks_only,
        about=found.about,
        besides=found.besides,
        stops=found.stops,
    )
    return Prepared(
        claim, conversation, interaction, entry_point, words, context, need, decision, standing, handoff, state, reach.lines
    )


def _language(text: str, conversation: Conversation, interaction: Interaction, playbook: Playbook, live: bool) -> tuple[str, bool]:
    """The language to go on in (two letters), and whether nothing but it was asked for. A change is written down and disclosed in.

    The answer to a question for a name tells no language: “Maria de la Cruz” may speak any.
    """
    current = conversation.language or interaction.entry_point.language.partition("-")[0]
    read = read_language(text, current=current)
    told = read.only or conversation.form_state.get("asked") != "name"
    if not read.language or not told or not playbook.speaks(read.language):
        return current, False
    if read.language != current:
        speaking.choose(conversation, read.language, interaction=interaction, named=LANGUAGES[read.language])
        if live:
            speaking.disclose(interaction, playbook, read.language, company=interaction.entry_point.company_name)
    return read.language, read.only


def _decided(need: Need, conversation: Conversation) -> tuple[Need, Decision]:
    """The need with its score, and who acts on it."""
    subject = conversation.public_id.hex
    if need.assistant_answers:
        return score_and_decide(need, subject=subject)
    need = replace(need, score=score(need))
    if who_acts(need) == Decision.Handler.ASSISTANT:
        # Tables that do not ask whether the AI agent answers have people found as for whoever asks for them.
        need = replace(need, asked_for_human=True)
    return need, decide(need, subject=subject)


def decide_and_note(conversation: Conversation, need: Need, interaction: Interaction) -> Decision:
    """Routing's decision about a need that is not scored yet, with an entry when it is not the one that stood before."""
    _scored, decision = score_and_decide(need, subject=conversation.public_id.hex)
    _note(decision, conversation, interaction)
    return decision


def _note(decision: Decision, conversation: Conversation, interaction: Interaction) -> None:
    if decision.is_new:
        timeline.append(
            conversation.pk,
            NewEntry(
                kind="routing.decided",
                actor_kind="system",
                audience="staff",
                body=decision.sentence,
                interaction=interaction,
                data={
                    "decision": decision.pk,
                    "handler": decision.handler,
                    "queue": decision.queue.code if decision.queue else None,
                    "priority_class": decision.priority_class,
                    "rule": decision.rule_id,
                    "version": decision.rule_set.version,
                    "escalation_reason": decision.escalation_reason,
                },
            ),
        )


def decide_again(prepared: Prepared, **changes: Any) -> Decision:
    """The decision for the same need with some facts changed and the score that it has."""
    decision = decide(replace(prepared.need, **changes), subject=prepared.conversation.public_id.hex)
    _note(decision, prepared.conversation, prepared.interaction)
    return decision


def visits_of(story: tuple[UUID, ...], interaction: Interaction, opens: bool) -> tuple[frozenset[str], frozenset[str]]:
    """The references of the coming visits of some conversations that a party may know of, and those that it booked itself.

    Without those that are another party's, unless what it has proven `opens` them.
    """
    found = schedule().visits_of_conversations(VisitsOfConversations(story, timezone.now()))
    references = frozenset(row.reference for row in found)
    own = references & guard.references_made_by(interaction) if references else references
    return references if opens else own, own


def story_of(conversation: Conversation, interaction: Interaction, joined: Sequence[Conversation], opens: bool) -> tuple[UUID, ...]:
    """The conversations whose visits a party may ask about: this one with those that go on in it (`joined`).

    When what it has proven `opens` the record, also the latest others of it in which something was booked.
    """
    here = [each.public_id for each in (conversation, *joined)]
    if not opens:
        return tuple(here)
    booked = Entry.objects.filter(kind="booking.made", conversation=OuterRef("pk"))
    others = Conversation.objects.filter(Exists(booked), customer=interaction.conversation.customer_id).exclude(public_id__in=here)
    return (*here, *others.order_by("-pk").values_list("public_id", flat=True)[:MOST_CONVERSATIONS])


def standing_of(standing: Standing, conversation: Conversation, interaction: Interaction, reach: Reach) -> Standing:
    """What the guard knows of a party, looked at anew: what it has proven, and what that opens."""
    level = proven_level(interaction)
    opens = guard.opens(find_visits.TOOL.name, level, standing.behaviour)
    story = story_of(conversation, interaction, reach.joined, opens)
    visits, own = visits_of(story, interaction, opens)
    agrees = purposes_to_agree_to(interaction)
    return replace(standing, level=level, story=story, visits=visits, own_visits=own, may_agree_to=agrees)


def _reachable(given: set[str], interaction: Interaction) -> frozenset[str]:
    """The addresses and numbers to which a code may go: those that the party gave itself, and the number it calls from."""
    return frozenset({*given, interaction.party} if interaction.party.startswith("+") else given)


def _waiting_handoff(conversation: Conversation) -> Handoff | None:
    with connection.cursor() as cursor:
        # Few conversations have one, and reading all that belongs to it is the dearest statement of a turn.
        cursor.execute(WAITING, [conversation.pk])
        found = cursor.fetchone()
    return HANDED_ON.get(handoff=found[0]) if found else None


def _is_for_later(handoff: Handoff) -> bool:
    """Whether people take over once they are in again: until then nobody is on the way, whatever line asks."""
    decision = handoff.work_item.decision
    return decision is not None and decision.handler in (Decision.Handler.AFTER_HOURS, Decision.Handler.CALLBACK)


def _history(interaction: Interaction, lines: Sequence[int]) -> tuple[HistoryLine, ...]:
    rows = SEEN[is_the_customer(interaction)].all(conversation=interaction.conversation_id, lines=lines)
    return tuple(HistoryLine(*row) for row in reversed(rows))


def _last_lines(whole: bool) -> QuerySet[Entry, tuple[int, str, str, str]]:
    seen = seen_on_lines(Given("conversation"), Given("lines"), whole=whole)
    return seen.order_by("-seq").values_list("seq", "kind", "actor_kind", "body")[:HISTORY_LINES]


SEEN: Final = {whole: CompiledOnce(partial(_last_lines, whole)) for whole in (False, True)}
"""The last lines, the newest first: of a party that has proven to be the customer (True), and of one that has not."""


def _told_facts(
    known: Mapping[str, KnownFact], conversation: Conversation, interaction: Interaction, level: str
) -> frozenset[str]:
    """The facts that this party gave itself, on whichever of its lines, or every fact when it has proven to be the customer."""
    if level != Assurance.KNOWLEDGE:
        # What is known to who has proven nothing is what it gave (`facts.known_to`).
        return frozenset(known)
    given = facts.told_by(conversation, interaction)
    return frozenset(name for name, fact in given.items() if name in known and known[name].value == fact.value)
