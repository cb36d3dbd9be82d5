"""“When do you close today?”, “and on Boxing Day?”: answered from the hours that are kept, which an article cannot know."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from conversations.assistant import hours_asked, wording
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import find_hours

WHOLE_DAY: Final = [{"from": "00:00", "to": "24:00"}]


async def answer(dialogue: Dialogue) -> bool:
    """Says from when to when somebody is there today or tomorrow; says whether that was asked and hours are kept."""
    context = dialogue.context
    ahead = hours_asked.days_ahead(context.words)
    return ahead is not None and await _told(dialogue, context.now.date() + timedelta(days=ahead))


async def asked_on(dialogue: Dialogue) -> bool:
    """Goes on about hours that were told last: those of another day, or when somebody is there next; says whether that was asked."""
    context = dialogue.context
    if not dialogue.hours_were_asked or context.understanding.affirmative is not None:
        return False
    named = next((fact.value for fact in context.understanding.facts if fact.name == "date"), "")
    if named and hours_asked.may_ask_on(context.words, {**dialogue.state, hours_asked.ASKED: True}):
        return await _told(dialogue, date.fromisoformat(named))
    if hours_asked.asks_until_when(context.words):
        return await _told(dialogue, context.now.date())
    return hours_asked.asks_when_then(context.words) and await _told_when_next(dialogue)


async def _told_when_next(dialogue: Dialogue) -> bool:
    now = dialogue.context.now
    found = await dialogue.tools.call(find_hours.TOOL.name, {})
    opens = str(found.result["opens_next"]) if found.worked else ""
    again = datetime.fromisoformat(opens).astimezone(now.tzinfo) if opens else None
    if again is None or again <= now:
        return await _told(dialogue, now.date())
    dialogue.say(_("We open again %(when)s.") % {"when": wording.moment_of(again, now)})
    dialogue.state[hours_asked.ASKED] = True
    return True


async def _told(dialogue: Dialogue, asked: date) -> bool:
    """Says the hours of a day; says whether any are kept for it."""
    found = await dialogue.tools.call(find_hours.TOOL.name, {"day": asked.isoformat()})
    if not found.worked or not found.result["kept"]:
        return False
    dialogue.state[hours_asked.ASKED] = True
    _say(dialogue, asked, [dict(each) for each in found.result["open"]], str(found.result["opens_next"]))
    return True


def _say(dialogue: Dialogue, asked: date, spans: list[dict[str, str]], opens_next: str) -> None:
    now = dialogue.context.now
    if asked == now.date() and hours_asked.asks_whether_now(dialogue.context.words) and not _is_within(spans, now):
        dialogue.say(_("No, we are closed now."))
    named = capfirst(wording.day(datetime.combine(asked, time(12), now.tzinfo), now))
    if spans == WHOLE_DAY:
        dialogue.say(_("%(day)s, we are open all day.") % {"day": named})
        return
    hours = wording.listed([_("from %(from)s to %(to)s") % each for each in spans])
    sentence = _("%(day)s, we are open %(hours)s.") if spans else _("%(day)s, we are closed.")
    dialogue.say(sentence % {"day": named, "hours": hours})
    again = datetime.fromisoformat(opens_next).astimezone(now.tzinfo) if opens_next else None
    if again and again > now and again.date() > asked and (not spans or asked == now.date()):
        dialogue.say(_("We open again %(when)s.") % {"when": wording.moment_of(again, now)})


def _is_within(spans: list[dict[str, str]], now: datetime) -> bool:
    return any(span["from"] <= f"{now:%H:%M}" < span["to"] for span in spans)
