"""How conversations went: where they began, where they went on, who answered, how they ended."""

from collections import Counter
from collections.abc import Mapping

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from conversations.models import Conversation, Entry, Handoff, Interaction
from conversations.models.entry_point import Channel
from reporting.period import Period


def journeys(period: Period) -> QuerySet[Conversation]:
    """Conversations opened in the period that stand alone, with what their paths are made of.

    Adds `channels` (of its interactions in their order, those of conversations joined into it included),
    `spoke_to_person` and `asked_for_person`.
    """
    of_this = Q(conversation=OuterRef("pk")) | Q(conversation__joined_into=OuterRef("pk"))
    in_order = Interaction.objects.filter(of_this).order_by("started_at", "pk")
    return (
        Conversation.objects.filter(
            opened_at__gte=period.starts_at, opened_at__lt=period.ends_at, joined_into__isnull=True
        )
        .annotate(
            channels=ArraySubquery(in_order.values("channel")),
            spoke_to_person=Exists(Entry.objects.filter(of_this, kind="message", actor_kind="agent")),
            asked_for_person=Exists(Handoff.objects.filter(of_this)),
        )
        .select_related("disposition", "customer", "reason")
        .order_by("-opened_at")
    )


def path_of(journey: Conversation) -> tuple[str, str, str, str]:
    """The four steps of one journey of `journeys`, as people read them."""
    names: Mapping[str, str] = {"chat": _("Web chat"), "voice": _("Call"), "sms": _("Text message")}
    channels: list[str] = journey.channels  # type: ignore[attr-defined]  # annotated by journeys()
    if not channels:
        return (_("Unknown"), _("Stayed there"), _handled_by(journey), _outcome(journey))
    others = [channel for channel in channels if channel != channels[0]]
    went_on = _("Then %(channel)s") % {"channel": names[others[0]].lower()} if others else _("Stayed there")
    return (names[channels[0]], went_on, _handled_by(journey), _outcome(journey))


def paths(period: Period) -> Counter[tuple[str, ...]]:
    """How many journeys of the period took each path. One query."""
    return Counter(path_of(journey) for journey in journeys(period))


def tints() -> dict[str, str]:
    """The tint of each step in pictures."""
    return {
        _("Web chat"): Channel.CHAT.value,
        _("Call"): Channel.VOICE.value,
        _("Text message"): Channel.SMS.value,
        _("AI agent"): "assistant",
        _("Person"): "agent",
        _("Waited for a person"): "warn",
        _("Solved"): "ok",
        _("Not solved"): "warn",
        _("Closed without an outcome"): "quiet",
        _("Still open"): "quiet",
    }


def _handled_by(journey: Conversation) -> str:
    if journey.spoke_to_person or journey.owner_kind == Conversation.Owner.HUMAN:  # type: ignore[attr-defined]
        return _("Person")
    return _("Waited for a person") if journey.asked_for_person else _("AI agent")  # type: ignore[attr-defined]


def _outcome(journey: Conversation) -> str:
    if journey.status == Conversation.Status.OPEN:
        return _("Still open")
    if journey.disposition is None:
        return _("Closed without an outcome")
    return _("Solved") if journey.disposition.resolved else _("Not solved")
