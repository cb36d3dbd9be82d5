"""Work as it stands: waiting, offered, taken. Only shown; agents change it in the inbox, supervisors by the actions of the lists."""

from __future__ import annotations

from django.contrib import admin

from routing.admin.read_only import ReadOnlyAdmin
from routing.admin.supervising import SetsStates
from routing.models import Presence, Reservation, WorkItem


class ReservationInline(admin.TabularInline):
    model = Reservation
    fields = ("agent", "state", "weight", "reason", "offered_at", "accepted_at", "ended_at")
    readonly_fields = fields
    extra = 0
    max_num = 0
    can_delete = False


@admin.register(WorkItem)
class WorkItemAdmin(ReadOnlyAdmin):
    inlines = (ReservationInline,)
    list_display = ("subject", "kind", "queue", "priority_class", "state", "enqueued_at", "deadline", "ended_at")
    list_filter = ("state", "queue", "kind", "priority_class")
    list_select_related = ("queue",)
    search_fields = ("subject",)
    date_hierarchy = "enqueued_at"


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    list_display = ("work_item", "agent", "state", "reason", "offered_at", "accepted_at", "ended_at")
    list_filter = ("state", "agent")
    list_select_related = ("work_item", "agent")
    search_fields = ("work_item__subject",)
    date_hierarchy = "offered_at"


@admin.register(Presence)
class PresenceAdmin(SetsStates, ReadOnlyAdmin):
    list_display = ("agent", "state", "away_reason", "set_by", "since", "last_heartbeat_at")
    list_filter = ("state",)
    list_select_related = ("agent",)
