"""Offering free windows: what the customer wished for first, then what is nearest to it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from conversations.assistant import choosing, wording
from conversations.assistant.brain import ToolResult
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import find_slots

OFFERED = 3
LOOKED_AT = 60
Slot = dict[str, Any]


def chosen(dialogue: Dialogue) -> Slot | None:
    """The offered window that the customer means, if they mean one."""
    offered = dialogue.state.get("offered") or []
    understood = dialogue.context.understanding
    index = choosing.chosen_name(dialogue.context.text, [slot["label"] for slot in offered])
    if index is None:
        index = choosing.chosen_slot(dialogue.context.words, offered, understood.facts, understood.affirmative)
    if index is None and _insists(dialogue, offered):
        index = 0
    return offered[index] if index is not None else None


def _insists(dialogue: Dialogue, offered: list[Slot]) -> bool:
    """Whether the day or time is said once more of which every offered window is: then the earliest will do."""
    wished = {fact.name: fact.value for fact in dialogue.context.understanding.facts if fact.name in ("date", "time_window")}
    if not wished or not offered or dialogue.context.new_facts or dialogue.context.understanding.affirmative is False:
        return False
    return all(_suits(slot, wished.get("date", ""), wished.get("time_window", "")) for slot in offered)


async def offer(dialogue: Dialogue, postcode: str, *, prompt: str = "", lead: str = "", wishes: bool = True) -> bool:
    """Looks for windows that suit and offers up to three; says whether there were any.

    With a wish that cannot be met the nearest others are offered, and that is said. Without `wishes` an earlier one does not count.
    """
    context = dialogue.context
    day, span = (context.value("date"), context.value("time_window")) if wishes else ("", "")
    slots = await _free(dialogue, postcode, day)
    if not slots and day:
        slots = await _free(dialogue, postcode, "")
    if not slots:
        return False
    suiting = [slot for slot in slots if _suits(slot, day, span)]
    same_day = [slot for slot in slots if day and slot["start"][:10] == day]
    picked = (suiting or same_day or slots)[:OFFERED]
    wished = bool(day or span)
    dialogue.state.update(step="choose", offered=[_labelled(slot, context.now) for slot in picked], asked="time_window")
    dialogue.say(lead)
    if wished and not suiting:
        dialogue.say(_("Nothing is free then."))
    question = "" if wished else prompt
    _say_offer(dialogue, picked, suits=bool(suiting) or not wished, question=question)
    return True


async def offer_others(dialogue: Dialogue, result: ToolResult) -> bool:
    """Offers the windows that came with a refusal because somebody else was quicker; says whether there were any."""
    slots = [dict(slot) for slot in result.result.get("slots", [])][:OFFERED]
    dialogue.say(_("I am sorry, that time has just been taken."))
    if not slots:
        return False
    dialogue.state.update(
        step="choose", offered=[_labelled(slot, dialogue.context.now) for slot in slots], asked="time_window"
    )
    _say_offer(dialogue, slots, suits=False)
    return True


def _say_offer(dialogue: Dialogue, slots: list[Slot], *, suits: bool, question: str = "") -> None:
    labels = [slot["label"] for slot in dialogue.state["offered"]]
    if len(labels) == 1:
        sentence = _("%(slot)s is free. Shall I take it?") if suits else _("The nearest is %(slot)s. Shall I take it?")
        dialogue.say(sentence % {"slot": labels[0]})
        dialogue.suggest([*labels, _("Another time")])
        return
    if dialogue.context.spoken:
        places = [_("first"), _("second"), _("third")]
        told = wording.listed([f"{place}, {label}" for place, label in zip(places, labels, strict=False)], _("or"))
    else:
        told = "; ".join(labels)
    sentence = _("These times are free: %(slots)s.") if suits else _("The nearest are: %(slots)s.")
    dialogue.say(sentence % {"slots": told})
    dialogue.say(question or _("Which one suits you?"))
    dialogue.suggest(labels)


async def _free(dialogue: Dialogue, postcode: str, day: str) -> list[Slot]:
    arguments: dict[str, Any] = {"postcode": postcode, "limit": LOOKED_AT}
    if day:
        start = datetime.combine(datetime.fromisoformat(day).date(), time(0), dialogue.context.now.tzinfo)
        arguments |= {"from": start.isoformat(), "to": (start + timedelta(days=7)).isoformat()}
    found = await dialogue.tools.call(find_slots.TOOL.name, arguments)
    return [dict(slot) for slot in found.result.get("slots", [])] if found.worked else []


def _suits(slot: Slot, day: str, span: str) -> bool:
    if day and slot["start"][:10] != day:
        return False
    if not span:
        return True
    first, last = span.split("-")
    # A window suits when somebody who is in at that time would meet the engineer.
    return bool(slot["start"][11:16] < last and first < slot["end"][11:16])


def _labelled(slot: Slot, now: datetime) -> Slot:
    start, end = datetime.fromisoformat(slot["start"]), datetime.fromisoformat(slot["end"])
    return {"start": slot["start"], "end": slot["end"], "label": wording.window(start, end, now, plain=True)}
