"""The package that a person gets with a conversation: why, a summary, the facts, what was tried, the next step.

It is put together from the record alone, so the same record always gives the same package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from conversations.assistant import wording
from conversations.assistant.brain import Behaviour
from conversations.assistant.tools import book
from conversations.models import Conversation, Entry
from conversations.models.entry_point import Channel
from conversations.models.identifier import Assurance
from conversations.selectors import said
from conversations.services import facts
from conversations.services.facts import FACT_LABELS, KnownFact
from conversations.services.handoff import Package
from routing.models import Decision

LONGEST_QUOTE: Final = 200
MOST_QUOTES: Final = 2
MOST_TRIED: Final = 8
BOOKINGS: Final = ("booking.made", "booking.changed", "booking.cancelled")


def package(
    conversation: Conversation,
    decision: Decision,
    known: Mapping[str, KnownFact],
    *,
    behaviour: Behaviour | None = None,
    why: str = "",
    next_step: str = "",
    waiting: Sequence[str] = (),
) -> Package:
    """The package for a hand-over by this decision; `known` is what the AI agent could build on with the party that it answered, `waiting`
    what else was wanted and not come to."""
    rows = list(
        Entry.objects.filter(
            conversation=conversation, kind__in=["message", "tool.called", *BOOKINGS], redacted_at__isnull=True
        ).order_by("seq")
    )
    return Package(
        why=why or _why(decision),
        summary=_summary(conversation, known, rows, waiting),
        facts=_facts(conversation),
        tried=_tried(rows),
        next_step=next_step or _next_step(conversation, decision, known, behaviour, rows),
    )


def _why(decision: Decision) -> str:
    """The rule's own description as a sentence; the facts that matched stand in the decision's entry."""
    description = decision.rule.description.strip()
    return description if description.endswith((".", "?")) else f"{description}."


def _summary(conversation: Conversation, known: Mapping[str, KnownFact], rows: list[Entry], waiting: Sequence[str]) -> str:
    name = str(known["name"].value) if "name" in known else _("The customer")
    reason = conversation.reason
    sentences = [
        _("%(name)s came about: %(reason)s.") % {"name": name, "reason": reason.name}
        if reason
        else _("%(name)s has not said clearly what it is about.") % {"name": name}
    ]
    if conversation.urgency == "emergency":
        sentences.insert(0, _("Emergency."))
    words = [row.body.strip() for row in rows if row.kind == "message" and row.actor_kind == Entry.Actor.CUSTOMER]
    quotes = [f"“{short(text)}”" for text in first_and_last([text for text in words if text])]
    if quotes:
        sentences.append(_("In their words: %(words)s.") % {"words": wording.listed(quotes)})
    sentences += [row.body for row in rows if row.kind in BOOKINGS and not is_overtaken(visit_of(row), row.seq, _visits_changed(rows))]
    if waiting:
        sentences.append(_("Also wanted, and not come to yet: %(what)s.") % {"what": wording.listed(waiting)})
    return " ".join(sentences)


def visit_of(entry: Entry) -> str:
    """The reference of the visit that an entry tells of; empty where it tells of none."""
    return str(entry.data.get("reference") or "") if entry.kind in BOOKINGS else ""


def is_overtaken(visit: str, seq: int, changes: Mapping[str, int]) -> bool:
    """Whether what was told of a visit at a place holds no more, by where each visit got its time or was cancelled last."""
    return bool(visit) and seq < changes.get(visit, 0)


def _visits_changed(rows: list[Entry]) -> dict[str, int]:
    return {visit_of(row): row.seq for row in rows if visit_of(row) and not row.data.get("corrected")}


def _has_a_visit(rows: list[Entry]) -> bool:
    """Whether a visit that was booked in the conversation stands: what a booking asks for is wanted no more."""
    last = {visit_of(row): row.kind for row in rows if visit_of(row)}
    return any(kind != "booking.cancelled" for kind in last.values())


def first_and_last(said: list[str]) -> list[str]:
    """The first and the last telling things of those said."""
    telling = [text for text in said if len(text.split()) > 1] or said
    return telling if len(telling) <= MOST_QUOTES else [telling[0], telling[-1]]


def short(text: str) -> str:
    """A text in one line, cut where a quotation would be too long."""
    joined = " ".join(text.split())
    return joined if len(joined) <= LONGEST_QUOTE else f"{joined[:LONGEST_QUOTE].rstrip()}…"


def _facts(conversation: Conversation) -> list[Mapping[str, Any]]:
    """What was said of each fact: what counts, and what less proven lines say differently, each with where it comes from."""
    return [
        {
            "name": fact.name,
            "label": str(FACT_LABELS.get(fact.name, fact.name.replace("_", " ").capitalize())),
            "value": facts.written(fact.name, fact.value),
            "from": fact.by or _from(fact.channel, fact.assurance),
            "seq": fact.seq,
        }
        for fact in said.said_in(conversation)
    ]


def _from(channel: str, assurance: str) -> str:
    where = dict(Channel.choices).get(channel, channel)
    how = dict(Assurance.choices).get(assurance, assurance)
    return f"{where} · {how}" if where else str(how)


def _tried(rows: list[Entry]) -> list[str]:
    tried: list[str] = []
    for row in rows:
        if row.kind == "tool.called" and row.data.get("result") is not None:
            tried.append(row.body)
        elif row.kind == "tool.called" and row.data.get("error"):
            tried.append(_("%(tool)s did not work: %(why)s") % {"tool": str(row.data.get("tool")).replace("_", " "), "why": row.body})
        elif row.kind == "message" and row.actor_kind == Entry.Actor.ASSISTANT:
            tried += [
                _("Answered from the article “%(title)s”.") % {"title": source.get("title")}
                for source in row.data.get("sources") or []
            ]
    return list(dict.fromkeys(tried))[-MOST_TRIED:]


def _next_step(
    conversation: Conversation, decision: Decision, known: Mapping[str, KnownFact], behaviour: Behaviour | None, rows: list[Entry]
) -> str:
    if conversation.urgency == "emergency":
        return _("Answer at once. Make sure that everybody is safe before anything else.")
    reason = conversation.reason
    form = behaviour.form_for_reason(reason.code) if reason and behaviour else None
    if form and form.tool == book.TOOL.name and _has_a_visit(rows):
        form = None
    missing = [field.fact for field in form.fields if field.required and field.fact not in known] if form else []
    if missing:
        labels = [str(FACT_LABELS.get(fact, fact)).lower() for fact in missing]
        return _("Still to ask: %(facts)s.") % {"facts": wording.listed(labels)}
    if decision.handler == Decision.Handler.CALLBACK:
        return _("Call the customer back.")
    return _("Answer the customer; everything that was asked for is above.")
