"""Volumes: how much came in and what was made of it. Each is a plain count of rows by the day they happened.

Conversations count when they are opened, unless they turned out to belong to another one and were joined into it;
interactions when they start, messages when they are recorded (customer, AI agent and person alike), hand-overs when they
are requested, bookings when they are made (also if cancelled later).
Evidence level: observed.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from conversations.models import Booking, Conversation, Entry, Handoff, Interaction
from conversations.models.entry_point import Channel
from reporting.cells import conversation_cell, customer_cell, interaction_cell, time_cell
from reporting.figure import Better, Cell, DayCount, Metric, Table, Unit
from reporting.period import Period

Rows = Callable[[Period], QuerySet[Any]]


def conversations(period: Period) -> QuerySet[Conversation]:
    """Conversations opened in the period that were not joined into another one."""
    return Conversation.objects.filter(opened_at__gte=period.starts_at, opened_at__lt=period.ends_at, joined_into__isnull=True)


def interactions(period: Period) -> QuerySet[Interaction]:
    """Calls and chat sessions started in the period."""
    return Interaction.objects.filter(started_at__gte=period.starts_at, started_at__lt=period.ends_at)


def messages(period: Period) -> QuerySet[Entry]:
    """Messages of anybody recorded in the period."""
    return Entry.objects.filter(kind="message", recorded_at__gte=period.starts_at, recorded_at__lt=period.ends_at)


def handoffs(period: Period) -> QuerySet[Handoff]:
    """Hand-overs to a person requested in the period."""
    return Handoff.objects.filter(requested_at__gte=period.starts_at, requested_at__lt=period.ends_at)


def bookings(period: Period) -> QuerySet[Booking]:
    """Visits booked in the period."""
    return Booking.objects.filter(created_at__gte=period.starts_at, created_at__lt=period.ends_at)


def daily_count(rows: QuerySet[Any], moment: str, period: Period) -> Sequence[DayCount]:
    """How many of `rows` fall on each day by their field `moment`."""
    days = rows.annotate(day=TruncDate(moment, tzinfo=period.zone)).order_by().values("day").annotate(number=Count("pk"))
    return [DayCount(row["day"], row["number"]) for row in days]


def conversation_table(rows: QuerySet[Conversation]) -> Table:
    """Conversations as rows."""
    return Table(
        columns=(_("Customer"), _("Conversation"), _("Opened"), _("Reason"), _("Status"), _("Outcome"), _("With")),
        source=rows.select_related("customer", "reason", "disposition", "owner_agent").order_by("-opened_at"),
        cells=lambda each: (
            customer_cell(each.customer),
            conversation_cell(each),
            time_cell(each.opened_at),
            Cell(str(each.reason or "")),
            Cell(each.get_status_display()),
            Cell(str(each.disposition or "")),
            Cell(str(each.owner_agent or each.get_owner_kind_display())),
        ),
    )


def interaction_table(rows: QuerySet[Interaction]) -> Table:
    """Calls and chat sessions as rows."""
    return Table(
        columns=(_("Customer"), _("Conversation"), _("Interaction"), _("Started"), _("Ended"), _("Entry point"), _("State")),
        source=rows.select_related("conversation__customer", "entry_point").order_by("-started_at"),
        cells=lambda each: (
            customer_cell(each.conversation.customer),
            conversation_cell(each.conversation),
            interaction_cell(each),
            time_cell(each.started_at),
            time_cell(each.ended_at),
            Cell(str(each.entry_point)),
            Cell(each.get_state_display()),
        ),
    )


def message_table(rows: QuerySet[Entry]) -> Table:
    """Messages as rows."""
    return Table(
        columns=(_("Conversation"), _("When"), _("Who"), _("Name"), _("Text")),
        source=rows.select_related("conversation").order_by("-recorded_at"),
        cells=lambda each: (
            conversation_cell(each.conversation),
            time_cell(each.recorded_at),
            Cell(each.get_actor_kind_display()),
            Cell(each.actor_name),
            Cell(each.body),
        ),
    )


def handoff_table(rows: QuerySet[Handoff]) -> Table:
    """Hand-overs as rows."""
    return Table(
        columns=(_("Customer"), _("Conversation"), _("Requested"), _("Accepted"), _("Queue"), _("Why")),
        source=rows.select_related("conversation__customer", "work_item__queue").order_by("-requested_at"),
        cells=lambda each: (
            customer_cell(each.conversation.customer),
            conversation_cell(each.conversation),
            time_cell(each.requested_at),
            time_cell(each.accepted_at),
            Cell(str(each.work_item.queue)),
            Cell(each.why),
        ),
    )


def booking_table(rows: QuerySet[Booking]) -> Table:
    """Bookings as rows."""
    return Table(
        columns=(_("Reference"), _("Customer"), _("Conversation"), _("Booked"), _("Service"), _("From"), _("Technician"), _("State")),
        source=rows.select_related("customer", "conversation", "technician").order_by("-created_at"),
        cells=lambda each: (
            Cell(each.reference),
            customer_cell(each.customer),
            conversation_cell(each.conversation),
            time_cell(each.created_at),
            Cell(each.service),
            time_cell(each.window.lower),
            Cell(str(each.technician)),
            Cell(each.get_state_display()),
        ),
    )


def _volume(code: str, name: Any, definition: Any, rows: Rows, moment: str, table: Callable[[Any], Table]) -> Metric:
    return Metric(
        code=code,
        name=name,
        definition=definition,
        unit=Unit.COUNT,
        better=Better.NEITHER,
        daily=lambda period: daily_count(rows(period), moment, period),
        rows=lambda period: table(rows(period)),
        rows_are=name,
    )


def _interactions_by(channel: Channel) -> Rows:
    return lambda period: interactions(period).filter(channel=channel)


CONVERSATIONS = _volume(
    "conversations", _("Conversations"), _("Conversations opened, without those that were joined into another one."), conversations,
    "opened_at", conversation_table,
)
CHATS = _volume(
    "chats", _("Web chats"), _("Chat sessions in which the customer wrote."), _interactions_by(Channel.CHAT), "started_at",
    interaction_table,
)
CALLS = _volume(
    "calls", _("Calls"), _("Calls that were answered or placed."), _interactions_by(Channel.VOICE), "started_at",
    interaction_table,
)
MESSAGES = _volume(
    "messages", _("Messages"), _("Everything written or said by customers, AI agents and people."), messages, "recorded_at",
    message_table,
)
HANDOFFS = _volume(
    "handoffs", _("Hand-overs"), _("Times a person was asked to take over from the AI agent."), handoffs, "requested_at",
    handoff_table,
)
BOOKINGS = _volume(
    "bookings", _("Bookings"), _("Visits booked, also those cancelled later."), bookings, "created_at", booking_table
)
METRICS = (CONVERSATIONS, CHATS, CALLS, MESSAGES, HANDOFFS, BOOKINGS)
