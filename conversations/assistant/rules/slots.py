"""Offering free windows: what the customer wished for first, then what is nearest to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from conversations.assistant import acts, choosing, later, named_weeks, what_was_done, wording
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import find_slots
from conversations.understanding.dates import MONTHS

OFFERED = 3
LOOKED_AT = 60
Slot = dict[str, Any]
WHEN = frozenset({"date", "time_window"})
BACKWARDS = re.compile(r"\b(?:before|earlier|sooner)\b")
SAME_TIME = re.compile(r"(?<!\bnot )\b(?:the )?same (?:time|hour|slot|window)\b")
FIRST = re.compile(r"\b(?:first|earliest|soonest)\b(?! (?:choice|thing|of all|time))")
LAST = re.compile(r"\b(?:last|latest)\b(?! (?:week|time|year|month|night|thing|resort))")
OTHER_TIME = re.compile(r"\b(?<!the )(?<!you )(?:earlier|later|sooner)\b|\b(?:another|different|other) (?:day|time)\b")
VAGUE = re.compile(
    rf"^(?!.*(?:day\b|\d)).*\b(?:weeks?|fortnight|months?|asap|soon(?:est)?|earliest|{'|'.join(MONTHS)})\b|^in \d+ weeks$"
)
"""Words for a time that is longer than a day."""


async def chosen(dialogue: Dialogue, postcode: str) -> Slot | None:
    """The offered window that the customer chose, if they chose one: by its name, its place or its hour, or by yes to the only one.

    A day or a part of a day chooses one only when nothing else that is free then would fit as well.
    """
    offered = dialogue.state.get("offered") or []
    understood, words = dialogue.context.understanding, dialogue.context.words
    if len(offered) == 1 and understood.affirmative and _wants_another(dialogue, offered[0]):
        return None
    index = choosing.chosen_name(dialogue.context.text, [slot["label"] for slot in offered])
    if index is None:
        index = choosing.chosen_slot(words, offered, understood.facts, understood.affirmative)
    if index is None:
        return offered[0] if _insists(dialogue, offered) else None
    slot: Slot = offered[index]
    is_answer = understood.affirmative and len(offered) == 1
    leaves_it = not is_wished(dialogue) or choosing.takes_any(words)
    if is_answer or leaves_it or _is_pointed_at(dialogue, slot) or await _is_only_one(dialogue, postcode):
        return slot
    return None


def _wants_another(dialogue: Dialogue, slot: Mapping[str, Any]) -> bool:
    """Whether a yes to the only window goes on to another day or hour: “ok, Thursday then”, “yes, but can it be earlier”."""
    day, begins, ends = str(slot["start"])[:10], str(slot["start"])[11:16], str(slot["end"])[11:16]
    said = {fact.name: fact.value for fact in dialogue.context.understanding.facts if fact.name in WHEN}
    first, _to, last = str(said.get("time_window", "")).partition("-")
    is_else = said.get("date", day) != day or bool(first and not (first < ends and begins < last))
    return is_else or OTHER_TIME.search(acts.plain(dialogue.context.words)) is not None


def chosen_after_all(dialogue: Dialogue) -> Slot | None:
    """Another of the windows that were offered, in place of the one that was taken: “no wait, make it the second one”."""
    offered, words = dialogue.state.get("others") or [], dialogue.context.words
    if not dialogue.state.get("slot") or dialogue.context.new_facts:
        return None
    index = choosing.choice(words, len(offered))
    slot: Slot | None = offered[index] if index is not None else None
    return slot


async def other_than_taken(dialogue: Dialogue, postcode: str) -> str | None:
    """Offers other windows than the one that was taken, when that is wanted: “can it be later that day”; None when it is not.

    Otherwise what is to be said where none is offered, as `offer` does.
    """
    taken = dialogue.state.get("slot")
    if not taken or not what_was_done.moves_it(dialogue.context.words) or dialogue.context.new_facts:
        return None
    wish = beside(dialogue, taken)
    dialogue.state.pop("slot")
    none_free, prompt = _("I am sorry, I find no other free time in the next two weeks."), _("When would suit you better?")
    return await offer(dialogue, postcode, none_free=none_free, prompt=prompt, wishes=False, wish=wish)


def beside(dialogue: Dialogue, visit: Mapping[str, Any]) -> tuple[str, str] | None:
    """The day or days and the time of day that words wish for beside those of a visit: “later that day”, “the week after”."""
    words = acts.plain(dialogue.context.words)
    start, end = datetime.fromisoformat(str(visit["start"])), datetime.fromisoformat(str(visit["end"]))
    if SAME_TIME.search(words) and (day := _day_wished(dialogue, start)):
        return day, f"{start:%H:%M}-{end:%H:%M}"
    if is_wished(dialogue) or not (found := what_was_done.BESIDE.search(words)):
        return None
    way = -1 if BACKWARDS.search(found[0]) else 1
    if found["week"]:
        return named_weeks.keep_beside(dialogue.state, start.date() + way * named_weeks.A_WEEK), ""
    if found["other"]:
        return (start.date() + timedelta(days=way)).isoformat(), ""
    span = f"{end:%H:%M}-23:59" if found["when"] == "later" else f"00:00-{start:%H:%M}"
    return start.date().isoformat(), span


def _day_wished(dialogue: Dialogue, start: datetime) -> str:
    """The day in ISO that words name beside that of a visit: its weekday in a week that is wished for; empty when they name none."""
    if not is_wished(dialogue):
        return ""
    first, _to, last = named_weeks.wished(dialogue.state).partition("/")
    if not first:
        return next((fact.value for fact in dialogue.context.understanding.facts if fact.name == "date"), "")
    begins = datetime.fromisoformat(first).date()
    day = begins + timedelta(days=(start.weekday() - begins.weekday()) % 7)
    return day.isoformat() if day.isoformat() <= last else ""


def _insists(dialogue: Dialogue, offered: list[Slot]) -> bool:
    """Whether a time is said once more of which every offered window is, or a day twice more: then the earliest will do."""
    facts = {fact.name: fact for fact in dialogue.context.understanding.facts if fact.name in WHEN}
    is_new = dialogue.context.new_facts or dialogue.context.understanding.affirmative is False
    is_long_enough = "time_window" in facts or int(dialogue.state.get("misses") or 0) > 0
    if not facts or not offered or is_new or not is_long_enough or ("date" in facts and VAGUE.search(facts["date"].text)):
        return False
    day, span = (facts[name].value if name in facts else "" for name in ("date", "time_window"))
    return all(_suits(slot, day, span) for slot in offered)


def keep_out_of_visits(dialogue: Dialogue, told: Mapping[str, Any]) -> None:
    """Remembers the day and the hour of a call, which are no wish for a visit."""
    if of_a_call := {name: str(value) for name, value in told.items() if name in WHEN}:
        dialogue.state[later.OF_A_CALL] = of_a_call
        dialogue.state.pop(later.WITHIN, None)


def _wish_for(dialogue: Dialogue, name: str) -> str:
    """The day, or first and last (“…/…”), or the time that is wished for a visit; that of a call is none, unless it is said again."""
    if name == "date" and (days := named_weeks.wished(dialogue.state)):
        return days
    value, of_a_call = dialogue.context.value(name), dict(dialogue.state.get(later.OF_A_CALL) or {})
    if of_a_call.get(name) != value:
        return value
    if all(fact.name != name for fact in dialogue.context.understanding.facts):
        return ""
    del of_a_call[name]
    dialogue.state[later.OF_A_CALL] = of_a_call
    return value


def is_wished(dialogue: Dialogue) -> bool:
    """Whether the words name a day or a time of day."""
    return any(fact.name in WHEN for fact in dialogue.context.understanding.facts)


def _is_pointed_at(dialogue: Dialogue, slot: Slot) -> bool:
    """Whether words say which of those on offer: by name, “the afternoon one”, by place, or by an hour of its own."""
    words = acts.plain(dialogue.context.words)
    if choosing.names_it(words, str(slot["label"])) or choosing.POINTS.search(words) or FIRST.search(words) or LAST.search(words):
        return True
    span = next((fact.value for fact in dialogue.context.understanding.facts if fact.name == "time_window"), "")
    first, _to, last = span.partition("-")
    return bool(span) and _minutes(last) - _minutes(first) <= _minutes(slot["end"][11:16]) - _minutes(slot["start"][11:16])


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:5])


async def _is_only_one(dialogue: Dialogue, postcode: str) -> bool:
    """Whether one window alone is free at the time that was wished for. “Next week” is no day."""
    said = {fact.name: fact for fact in dialogue.context.understanding.facts if fact.name in WHEN}
    if "date" in said and VAGUE.search(said["date"].text):
        return False
    day, span = (said[name].value if name in said else _wish_for(dialogue, name) for name in ("date", "time_window"))
    return sum(_suits(slot, day, span) for slot in await _free(dialogue, postcode, day) or ()) == 1


async def offer(
    dialogue: Dialogue,
    postcode: str,
    *,
    none_free: str,
    prompt: str = "",
    lead: str = "",
    wishes: bool = True,
    wish: tuple[str, str] | None = None,
) -> str:
    """Looks for windows that suit and offers up to three; what is to be said where none is offered, `none_free` where truly none is free.

    With a wish that cannot be met the nearest others are offered, and that is said. Without `wishes` an earlier one does not count.
    A `wish` is a day (ISO) and a time of it (“HH:MM-HH:MM”) in place of what was said of them.
    """
    context = dialogue.context
    day, span = wish or ((_wish_for(dialogue, "date"), _wish_for(dialogue, "time_window")) if wishes else ("", ""))
    slots = await _free(dialogue, postcode, day)
    if not slots and day:
        slots = await _free(dialogue, postcode, "")
    if not slots:
        return none_free if slots is not None else _("I am sorry, I cannot look up free times myself.")
    suiting = [slot for slot in slots if _suits(slot, day, span)]
    same_day = [slot for slot in slots if day and _is_on(slot, day)]
    picked = _placed(dialogue, suiting) or (suiting or same_day or slots)[:OFFERED]
    wished = bool(day or span)
    dialogue.state.update(step="choose", offered=[wording.labelled(slot, context.now) for slot in picked], asked="time_window")
    dialogue.say(lead)
    if wished and not suiting:
        dialogue.say(_("Nothing is free then."))
    question = "" if wished else prompt
    _say_offer(dialogue, picked, suits=bool(suiting) or not wished, question=question)
    return ""


def _placed(dialogue: Dialogue, suiting: list[Slot]) -> list[Slot]:
    """The first or the last of a day's windows, when that was asked for: “Wednesday, first slot”."""
    words = acts.plain(dialogue.context.words)
    if not is_wished(dialogue):
        return []
    return suiting[:1] if FIRST.search(words) else suiting[-1:] if LAST.search(words) else []


def say_again(dialogue: Dialogue) -> Reply:
    """Names the windows on offer once more: by the last words, where those named them in this language."""
    offered: list[Slot] = dialogue.state["offered"]
    if all(slot["label"] in dialogue.last_said for slot in offered):
        dialogue.say(dialogue.last_said)
        dialogue.suggest([slot["label"] for slot in offered])
    else:
        _say_offer(dialogue, offered, suits=True)
    return dialogue.reply()


async def offer_others(dialogue: Dialogue, result: ToolResult) -> bool:
    """Offers the windows that came with a refusal because somebody else was quicker; says whether there were any."""
    slots = [dict(slot) for slot in result.result.get("slots", [])][:OFFERED]
    dialogue.say(_("I am sorry, that time has just been taken."))
    if not slots:
        return False
    dialogue.state.update(
        step="choose", offered=[wording.labelled(slot, dialogue.context.now) for slot in slots], asked="time_window"
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


async def _free(dialogue: Dialogue, postcode: str, day: str) -> list[Slot] | None:
    """The free windows of a week from a day on, or from now; None when they cannot be looked up."""
    arguments: dict[str, Any] = {"postcode": postcode, "limit": LOOKED_AT}
    if day:
        start = datetime.combine(datetime.fromisoformat(day.partition("/")[0]).date(), time(0), dialogue.context.now.tzinfo)
        arguments |= {"from": start.isoformat(), "to": (start + timedelta(days=7)).isoformat()}
    found = await dialogue.tools.call(find_slots.TOOL.name, arguments)
    return [dict(slot) for slot in found.result.get("slots", [])] if found.worked else None


def _is_on(slot: Slot, day: str) -> bool:
    """Whether a window is on a day, or between the first and the last."""
    first, _to, last = day.partition("/")
    return bool(first <= slot["start"][:10] <= (last or first))


def _suits(slot: Slot, day: str, span: str) -> bool:
    if day and not _is_on(slot, day):
        return False
    if not span:
        return True
    first, last = span.split("-")
    # A window suits when somebody who is in at that time would meet the engineer.
    return bool(slot["start"][11:16] < last and first < slot["end"][11:16])
