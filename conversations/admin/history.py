"""History as managers read it: separators, speakers, decisions and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from conversations.models import Entry, Interaction
from conversations.models.entry_point import Channel
from conversations.services.facts import phone
from conversations.services.kinds import KINDS, EntryKind

SHOWN = 300
"""So many entries are shown at first, the newest; more on request."""
MOST_SHOWN = 100_000
SPOKEN = frozenset({"message", "note", "draft"})
UNKNOWN = EntryKind("unknown", "", "circle", lambda body, data: body)


@dataclass(frozen=True, slots=True)
class Separator:
    """A line across the history: a new day, or where an interaction begins or ends."""

    text: str
    icon: str
    is_separator: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is read. `details` are the names and values that lie behind an event."""

    seq: int
    speaks: bool
    tint: str
    icon: str
    label: str | Promise
    who: str
    text: str
    at: datetime
    channel: str
    details: Sequence[tuple[str, str]]
    staff_only: bool
    redacted: str
    is_separator: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """Lines and separators, oldest first; `more` entries came before them."""

    lines: Sequence[Separator | Line]
    more: int


def history_of(entries: QuerySet[Entry], shown: int = SHOWN) -> History:
    """The newest `shown` of `entries`, which must come ordered oldest first. Two queries."""
    newest = list(entries.select_related("interaction__entry_point").reverse()[:shown])
    more = entries.count() - len(newest) if len(newest) == shown else 0
    return History(list(_lines(reversed(newest))), more)


def entries_wanted(request: HttpRequest) -> int:
    """How many entries of the history are wanted (`?entries=`)."""
    wanted = request.GET.get("entries", "")
    return min(int(wanted), MOST_SHOWN) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 7 else SHOWN


def _lines(entries: Iterable[Entry]) -> Iterator[Separator | Line]:
    day: date | None = None
    for entry in entries:
        local = timezone.localtime(entry.occurred_at)
        if local.date() != day:
            day = local.date()
            yield Separator(f"{local:%A, %-d %B %Y}", "calendar")
        if entry.kind in ("interaction.started", "interaction.ended") and entry.interaction:
            yield Separator(_interaction_text(entry, entry.interaction, local), _channel_icon(entry.interaction.channel))
        else:
            yield _line(entry)


def _interaction_text(entry: Entry, interaction: Interaction, at: datetime) -> str:
    channel = interaction.get_channel_display()
    if entry.kind == "interaction.started":
        caller = phone(interaction.party) if interaction.channel == Channel.VOICE else ""
        parts = [channel, _("started %(time)s") % {"time": f"{at:%H:%M}"}, interaction.entry_point.address, caller]
    else:
        sentence = KINDS["interaction.ended"].sentence(entry.body, entry.data)
        parts = [channel, sentence, str(entry.data.get("end_reason", "")).replace("_", " ")]
    return " · ".join(part for part in parts if part)


def _line(entry: Entry) -> Line:
    kind = KINDS.get(entry.kind, UNKNOWN)
    speaks = entry.kind in SPOKEN
    return Line(
        seq=entry.seq,
        speaks=speaks,
        tint="note" if entry.kind == "note" else entry.actor_kind,
        icon="sticky-note" if entry.kind == "note" else _channel_icon(entry.interaction.channel if entry.interaction else ""),
        label=kind.label or entry.kind,
        who=entry.actor_name or entry.get_actor_kind_display(),
        text=kind.sentence(entry.body, entry.data),
        at=entry.occurred_at,
        channel=entry.interaction.get_channel_display() if entry.interaction else "",
        details=[] if speaks else list(details_of(entry.data)),
        staff_only=entry.audience == Entry.Audience.STAFF,
        redacted=entry.redaction_reason,
    )


def details_of(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested values as flat names and texts, so that nobody has to read JSON. What is empty is left out."""
    for name, value in data.items():
        label = f"{prefix} › {readable_name(name)}" if prefix else readable_name(name)
        if isinstance(value, Mapping):
            yield from details_of(value, label)
        elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
            for number, each in enumerate(value, 1):
                yield from details_of(each if isinstance(each, Mapping) else {"": each}, f"{label} {number}")
        elif value not in (None, "", [], {}):
            yield label, ", ".join(str(each) for each in value) if isinstance(value, list) else readable_value(value)


def readable_name(name: str) -> str:
    """`service_level` as “Service level”."""
    return name.replace("_", " ").replace(".", " · ").capitalize()


def readable_value(value: Any) -> str:
    """A value of stored data as text."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)


def _channel_icon(channel: str) -> str:
    return {"chat": "message-square", "voice": "phone"}.get(channel, "message-circle")
