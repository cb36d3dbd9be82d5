"""Who may see what. What a party may see depends on its own interaction, never on what it was linked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from conversations.models import ChatLink, Conversation, Entry, Interaction, JoinCode, Proof
from conversations.models.entry_point import Channel
from conversations.models.identifier import ASSURANCE_RANK, Assurance
from routing.compiled import CompiledOnce, Given
from routing.models import AgentProfile

PAGE: Final = 500
PARTY_KINDS = (
    "message",
    "interaction.started",
    "interaction.ended",
    "disclosure.shown",
    "call.answered",
    "call.connected_to_agent",
    "booking.made",
    "booking.changed",
    "booking.cancelled",
    "handoff.accepted",
    "conversation.closed",
)
PARTY_DATA = frozenset(
    {
        "quick_replies", "cards", "sources", "field", "client_id", "spoken", "reference", "window_start", "window_end",
        "service",
        "channel", "duration_seconds", "call_me",
    }
)  # fmt: skip

SUPERVISE = "routing.supervise"


def agent_of(user: Any) -> AgentProfile | None:
    """The active agent profile of a signed-in user, or None."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return None
    return AgentProfile.objects.filter(user=user, active=True).select_related("user", "team").first()


def may_read_conversations(user: Any) -> bool:
    """Whether a user may read customers' histories: active agents and managers."""
    return bool(getattr(user, "is_active", False) and getattr(user, "is_staff", False)) or agent_of(user) is not None


def may_supervise(user: Any) -> bool:
    """Whether a user may watch the board and steer queues, work and people: staff to whom the permission was given."""
    return bool(user.is_active and user.is_staff and user.has_perm(SUPERVISE))


def conversations_for(user: Any) -> QuerySet[Conversation]:
    """The conversations a user may read; none for anybody who is not staff."""
    if not may_read_conversations(user):
        return Conversation.objects.none()
    return Conversation.objects.select_related("customer", "reason", "owner_agent", "disposition")


def conversation_for_agent(user: Any, public_id: str | UUID) -> Conversation:
    """One conversation a user may read. Raises Conversation.DoesNotExist when there is none or they may not."""
    try:
        key = public_id if isinstance(public_id, UUID) else UUID(public_id)
    except ValueError:
        raise Conversation.DoesNotExist(public_id) from None
    return conversations_for(user).get(public_id=key)


def lines_of_party(interaction: Interaction) -> QuerySet[Interaction]:
    """Every line that is proven to be with the same party as this one, this one included.

    A chat's party is its signed visitor token. A code from a chat that was keyed into a call proves that the two are
    one party, and nothing about whoever else called from that number: a caller ID may be anybody's. A link that a call had
    sent to its own number lets the chat that it opened see the call, and never the call see the chat.
    """
    return _lines_of(interaction.pk, _visitors_of(interaction))


def numbers_of_lines(interaction: Interaction) -> tuple[int, ...]:
    """The numbers of the lines of `lines_of_party`. One statement."""
    if interaction.channel == Channel.CHAT:
        return tuple(pk for (pk,) in LINES.all(line=interaction.pk, visitors=[interaction.party]))
    return tuple(pk for (pk,) in LINES_OF_CALL.all(line=interaction.pk))


def _visitors_of(interaction: Interaction) -> list[str]:
    """The ids of the browsers that a line's party is proven to sit in front of."""
    if interaction.channel == Channel.CHAT:
        return [interaction.party]
    return list(_visitors(interaction.pk).values_list("party", flat=True))


def _visitors(line: Any) -> QuerySet[Interaction]:
    return Interaction.objects.filter(join_codes__used_by=line, channel=Channel.CHAT).order_by()


def _lines_of(line: Any, visitors: Any) -> QuerySet[Interaction]:
    calls = JoinCode.objects.filter(interaction__channel=Channel.CHAT, interaction__party__any_of=visitors, used_by__isnull=False)
    texted = ChatLink.objects.filter(used_by__channel=Channel.CHAT, used_by__party__any_of=visitors)
    return Interaction.objects.filter(
        Q(pk=line)
        | Q(channel=Channel.CHAT, party__any_of=visitors)
        | Q(pk__in=calls.values("used_by"))
        | Q(pk__in=texted.values("interaction"))
    )


LINES: Final = CompiledOnce(lambda: _lines_of(Given("line"), Given("visitors")).order_by().values_list("pk"))
# An array, which PostgreSQL makes first and then looks up by an index, as it does a list that it is given.
LINES_OF_CALL: Final = CompiledOnce(
    lambda: _lines_of(Given("line"), ArraySubquery(_visitors(Given("line")).values("party"))).order_by().values_list("pk")
)


def has_open_chat(visitor: str) -> bool:
    """Whether a browser, by its visitor id, holds a chat in a conversation that is open."""
    chats = Interaction.objects.filter(channel=Channel.CHAT, party=visitor)
    return chats.filter(conversation__status=Conversation.Status.OPEN).exists()


def proofs_of(interaction: Interaction) -> QuerySet[Proof]:
    """What the party of this line has proven and what counts now: on the line itself, or in a chat whose code was keyed into it.

    A code makes a call as good as the chat that it was given in, and no better.
    """
    on_its_lines = Q(interaction=interaction) | Q(interaction__join_codes__used_by=interaction)
    return _proofs_that_count().filter(on_its_lines)


def _proofs_that_count() -> QuerySet[Proof]:
    return Proof.objects.filter(Q(withdrawn_at__isnull=True) & (Q(expires_at__isnull=True) | Q(expires_at__gt=Now())))


def proven_level(interaction: Interaction) -> str:
    """How well the party has proven to be the customer of the conversation it is in: `verified`, `knowledge` or nothing.

    It follows from the proofs of the line and the records that they are about. A line that was filed under a record it has
    proven nothing of has proven nothing here.
    """
    if interaction.assurance not in (Assurance.VERIFIED, Assurance.KNOWLEDGE):
        return ""
    about_this = proofs_of(interaction).filter(customer__conversations=interaction.conversation_id)
    return max(about_this.values_list("level", flat=True), key=lambda level: ASSURANCE_RANK[level], default="")


def levels_of(conversation_id: int) -> dict[int, str]:
    """How well parties have proven to be the customer of a conversation, by line; without the lines on which nothing was proven.

    The same as `proven_level` for each, in two statements.
    """
    about_this = _proofs_that_count().filter(customer__conversations=conversation_id)
    shown = list(about_this.values_list("interaction_id", "level"))
    calls = JoinCode.objects.filter(interaction__in={line for line, _level in shown}, used_by__isnull=False)
    by_code = list(calls.values_list("interaction_id", "used_by_id")) if shown else []
    shown += [(call, level) for chat, call in by_code for line, level in shown if line == chat]
    levels: dict[int, str] = {}
    for line, level in shown:
        levels[line] = max(level, levels.get(line, level), key=lambda each: ASSURANCE_RANK[each])
    return levels


def as_proven_as(interaction: Interaction) -> frozenset[int]:
    """The lines on which as much was proven as on this one of being the customer, this one included; none when nothing was."""
    level = proven_level(interaction)
    if not level:
        return frozenset()
    levels = levels_of(interaction.conversation_id)
    return frozenset({interaction.pk, *(line for line, shown in levels.items() if ASSURANCE_RANK[shown] >= ASSURANCE_RANK[level])})


def is_the_customer(interaction: Interaction) -> bool:
    """Whether the party has proven to be the customer on the record, not merely the party of another line."""
    return proven_level(interaction) == Assurance.VERIFIED


def assurance_of(interaction: Interaction) -> str:
    """How sure we are of who the party is; a code alone leaves a caller what their number makes them."""
    return assurance_with(interaction, proven_level(interaction))


def assurance_with(interaction: Interaction, level: str) -> str:
    """How sure we are of a party that has proven to be the customer at `level`, or has not when that is empty."""
    if level or interaction.assurance not in (Assurance.VERIFIED, Assurance.KNOWLEDGE):
        return level or interaction.assurance
    return Assurance.NETWORK_HINT if interaction.party.startswith("+") else Assurance.CLAIMED


def seen_by_party(interaction: Interaction, lines: Sequence[int] | None = None) -> QuerySet[Entry]:
    """The entries the party of an interaction may see, in order; `lines` are those of `lines_of_party`, when they were read already.

    Its own words and what was told to it: the entries of its lines (`lines_of_party`) in the same conversation. A party
    that has proven to be the customer sees the whole conversation, without the words of a line that has gone on with another
    record since: its party turned out to be somebody else. Staff entries never.
    """
    own = lines_of_party(interaction) if lines is None else list(lines)
    return seen_on_lines(interaction.conversation_id, own, whole=is_the_customer(interaction))


def seen_since(interaction: Interaction, *, after: int, upto: int) -> list[Entry]:
    """Those of them with a seq after one and up to another, at most `PAGE`. One statement for a chat."""
    seen = SEEN_SINCE[is_the_customer(interaction)]
    place = {"line": interaction.pk, "visitors": _visitors_of(interaction), "conversation": interaction.conversation_id}
    return seen.all(after=after, upto=upto, **place)


def _seen_since(whole: bool) -> QuerySet[Entry]:
    own = _lines_of(Given("line"), Given("visitors"))
    seen = seen_on_lines(Given("conversation"), own, whole=whole)
    return seen.filter(seq__gt=Given("after"), seq__lte=Given("upto"))[:PAGE]


def seen_on_lines(conversation: Any, lines: Any, *, whole: bool) -> QuerySet[Entry]:
    """The entries of a conversation that the party of some lines may see, in order; `whole`: it has proven to be the customer.

    Both may be a place for a value (`Given`), the lines a queryset as well. Whom it is asked for is settled by `seen_by_party`.
    """
    scope = Q(interaction__in=lines) if isinstance(lines, QuerySet) else Q(interaction__pk__any_of=lines)
    if whole:
        scope |= Q(interaction__conversation__customer=F("conversation__customer"))
    return (
        Entry.objects.filter(conversation_id=conversation, audience="everyone", kind__in=PARTY_KINDS)
        .filter(scope | Q(interaction__isnull=True, kind__in=["handoff.accepted", "conversation.closed"]))
        .select_related("interaction")
        .order_by("seq")
    )


SEEN_SINCE: Final[Mapping[bool, CompiledOnce[Entry]]] = {
    whole: CompiledOnce(partial(_seen_since, whole)) for whole in (False, True)
}


def seen_before(interaction: Interaction) -> QuerySet[Entry]:
    """What was written on this line before it went on in another conversation, in order: entries stay where they were written."""
    return (
        Entry.objects.filter(interaction=interaction, audience="everyone", kind__in=PARTY_KINDS)
        .exclude(conversation_id=interaction.conversation_id)
        .select_related("interaction", "conversation")
        .order_by("pk")
    )


def party_frame(entry: dict[str, Any]) -> dict[str, Any]:
    """A wire entry as a customer gets it: only the data made for them.

    Without the name on the record and the postcode of a visit: another party of a joined conversation may have given them.
    """
    shown = {**entry, "data": {key: value for key, value in entry["data"].items() if key in PARTY_DATA}}
    return {**shown, "actor_name": ""} if entry["actor_kind"] == "customer" else shown
