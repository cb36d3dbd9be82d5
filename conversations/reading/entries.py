"""Entries as every history of the company shows them: bubbles, notes, packages, separators and muted lines."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from django.db.models import F
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.assistant.reading import TURN_SOURCE
from conversations.models import Entry, Interaction, SentText
from conversations.reading.wording import duration, pairs, words
from conversations.selectors import recordings
from conversations.services.kinds import KINDS

SAME_BREATH = timedelta(minutes=3)
SEPARATORS = frozenset({"interaction.started", "interaction.ended"})
BUBBLES = frozenset({"message", "disclosure.shown", "speech"})
HEARD = frozenset({"call.recorded", "voicemail"})
TELL_OF_TEXTS = frozenset({"identity.code_sent", "link.sent", "text.sent"})
# Numbers of rows say nothing to a person; the seq of an entry is offered as a link instead.
UNSAID = frozenset(
    {"handoff", "decision", "idempotency_key", "client_id", "fence", "agent", "direction", "from_seq", "recording"}
)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry with what its template needs.

    `shape` names the template. `day` is set on the first entry of a day, `goes_on` when the words move
    to another interaction without a beginning in between, `joined` on entries of a conversation that
    was joined into this one. `speaker` is who said or did it. `details` are (label, value) pairs shown
    when the line is opened. `recording` is the id of what can be listened to. `by_turn` says that the AI agent
    said it in a turn, so that there may be a trace. `text` is the text message by which it left, or of which it tells.
    """

    entry: Entry
    shape: str
    anchor: str
    icon: str
    label: str
    sentence: str
    speaker: str
    day: date | None = None
    goes_on: str = ""
    follows: bool = False
    joined: bool = False
    call_time: str = ""
    by_turn: bool = False
    recording: str = ""
    text: SentText | None = None
    details: list[tuple[str, str]] = field(default_factory=list)


def items(
    entries: Sequence[Entry], *, conversation_id: int | None, customer_name: str = "", previous: Entry | None = None
) -> list[Item]:
    """Entries in the order given, each knowing how it follows the one before; `previous` is what is already shown.

    `conversation_id` is the conversation that is read, None when it is all that a customer has. `customer_name` is
    what the customer is called now, for what was said before the name was known. Times are read in the active time
    zone. What another entry tells is left out. Interactions must be selected with the entries. One query when some of them left by
    text message, one when some were said on lines that are in another conversation now, two when calls were recorded.
    """
    texts, others, parts = _texts(entries), _other_parties(entries), _parts(entries)
    shown = []
    for entry in entries:
        if entry.data.get("told"):
            continue
        speaker = others.get(entry.pk) or _speaker(entry, customer_name)
        item = _item(entry, previous, conversation_id, speaker, texts.get(entry.pk))
        shown.append(replace(item, recording="", sentence=_("All of it is in a longer recording.")) if item.recording in parts else item)
        previous = entry
    return shown


def _texts(entries: Sequence[Entry]) -> dict[int | None, SentText]:
    """The text messages of the entries that may have one, by the entry."""
    asked = [entry.pk for entry in entries if entry.kind in TELL_OF_TEXTS or (entry.interaction and entry.interaction.channel == "sms")]
    return {row.entry_id: row for row in SentText.objects.filter(entry__in=asked)} if asked else {}


def _parts(entries: Sequence[Entry]) -> set[str]:
    """The recordings that need not be listened to, since a longer one of the same call has all of them."""
    told = [str(entry.data.get("recording")) for entry in entries if entry.kind == "call.recorded" and not entry.redacted_at]
    return recordings.in_longer_ones(told) if told else set()


def _other_parties(entries: Sequence[Entry]) -> dict[int, str]:
    """What the party is called of each entry that it said on a line which counts for another customer now.

    So it is when two records were joined for a while; what is written at the entry is the name of the record of then.
    """
    said = (each for each in entries if each.actor_kind == Entry.Actor.CUSTOMER and each.interaction and not each.redacted_at)
    moved = [each.pk for each in said if each.interaction and each.interaction.conversation_id != each.conversation_id]
    if not moved:
        return {}
    elsewhere = Entry.objects.filter(pk__in=moved).exclude(conversation__customer=F("interaction__conversation__customer"))
    rows = elsewhere.select_related("interaction__conversation__customer")
    return {row.pk: str(row.interaction.conversation.customer) for row in rows if row.interaction}


def _item(entry: Entry, previous: Entry | None, conversation_id: int | None, speaker: str, text: SentText | None) -> Item:
    kind = KINDS.get(entry.kind)
    day = timezone.localtime(entry.occurred_at).date()
    new_day = previous is None or timezone.localtime(previous.occurred_at).date() != day
    of_another = entry.conversation_id != conversation_id
    shape = _shape(entry)
    return Item(
        entry=entry,
        shape=shape,
        anchor=f"joined-{entry.conversation_id}-{entry.seq}" if of_another else f"entry-{entry.seq}",
        icon=_icon(entry) if shape == "separator" or kind is None else kind.icon,
        label=str(kind.label) if kind else words(entry.kind),
        sentence=_separator(entry) if shape == "separator" else _sentence(entry),
        speaker=speaker,
        day=day if new_day else None,
        goes_on=_goes_on(entry, previous) if shape == "bubble" else "",
        follows=_follows(entry, previous) and not new_day,
        joined=of_another and conversation_id is not None,
        by_turn=(entry.source_id or "").startswith(TURN_SOURCE),
        recording=str(entry.data.get("recording", "")) if entry.kind in HEARD and not entry.redacted_at else "",
        text=text,
        call_time=_call_time(entry) if shape == "bubble" else "",
        details=_details(entry) if shape == "event" else [],
    )


def _speaker(entry: Entry, customer_name: str) -> str:
    match entry.actor_kind:
        case Entry.Actor.CUSTOMER:
            return entry.actor_name or ("" if entry.redacted_at else customer_name) or str(entry.get_actor_kind_display())
        case Entry.Actor.AGENT:
            return entry.actor_name or str(entry.get_actor_kind_display())
        case _:
            return str(entry.get_actor_kind_display())


def _shape(entry: Entry) -> str:
    if entry.kind in BUBBLES:
        return "bubble"
    if entry.kind in SEPARATORS:
        return "separator"
    return {"note": "note", "handoff.requested": "package", "wrapped_up": "wrap_up", "draft": "draft"}.get(entry.kind, "event")


def _sentence(entry: Entry) -> str:
    if entry.redacted_at:
        return _("Removed: %(reason)s") % {"reason": entry.redaction_reason}
    kind = KINDS.get(entry.kind)
    said = kind.sentence(entry.body, entry.data) if kind else entry.body
    if said:
        return said
    return _("by %(name)s") % {"name": entry.actor_name} if entry.actor_name else ""


def _separator(entry: Entry) -> str:
    interaction = entry.interaction
    channel = str(interaction.get_channel_display()) if interaction else ""
    if entry.kind == "interaction.ended":
        length = duration(float(entry.data.get("duration_seconds") or 0))
        return " · ".join(filter(None, [_("%(channel)s ended") % {"channel": channel}, length]))
    address = str(entry.data.get("entry_point") or "")
    party = str(entry.data.get("party") or "") if interaction and interaction.channel == "voice" else ""
    started = _("started %(time)s") % {"time": format_date(timezone.localtime(entry.occurred_at), "H:i")}
    return " · ".join(filter(None, [channel, party, started, address, _length(interaction)]))


def _length(interaction: Interaction | None) -> str:
    if interaction is None or interaction.ended_at is None or interaction.channel != "voice":
        return ""
    return duration((interaction.ended_at - (interaction.answered_at or interaction.started_at)).total_seconds())


def _icon(entry: Entry) -> str:
    voice = entry.interaction is not None and entry.interaction.channel == "voice"
    if entry.kind == "interaction.ended":
        return "phone-off" if voice else "message-square"
    return "phone" if voice else "message-square"


def _goes_on(entry: Entry, previous: Entry | None) -> str:
    """The channel's name when words move between two interactions that are both open."""
    if previous is None or entry.interaction is None or previous.kind in SEPARATORS:
        return ""
    if previous.interaction_id in (None, entry.interaction_id):
        return ""
    return str(entry.interaction.get_channel_display())


def _follows(entry: Entry, previous: Entry | None) -> bool:
    """Whether a message goes on from the one before it: same speaker, same interaction, within minutes."""
    return (
        previous is not None
        and entry.kind == previous.kind
        and entry.kind in ("message", "speech")
        and (entry.actor_kind, entry.actor_name) == (previous.actor_kind, previous.actor_name)
        and entry.interaction_id == previous.interaction_id
        and entry.occurred_at - previous.occurred_at < SAME_BREATH
    )


def _call_time(entry: Entry) -> str:
    """How far into the call something was said, as 1:05."""
    interaction = entry.interaction
    if interaction is None or interaction.channel != "voice":
        return ""
    seconds = max(0, round((entry.occurred_at - (interaction.answered_at or interaction.started_at)).total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02d}"


def _details(entry: Entry) -> list[tuple[str, str]]:
    if entry.redacted_at:
        return []
    told = {key: value for key, value in entry.data.items() if key not in UNSAID and value != entry.body}
    return list(pairs(told))
