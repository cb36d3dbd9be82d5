"""“When do you close today?”: answered from the hours that are kept, which an article cannot know."""

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
    if ahead is None:
        return False
    asked = context.now.date() + timedelta(days=ahead)
    found = await dialogue.tools.call(find_hours.TOOL.name, {"day": asked.isoformat()})
    if not found.worked or not found.result["kept"]:
        return False
    _say(dialogue, asked, [dict(each) for each in found.result["open"]], str(found.result["opens_next"]))
    return True


def _say(dialogue: Dialogue, asked: date, spans: list[dict[str, str]], opens_next: str) -> None:
    now = dialogue.context.now
    named = capfirst(wording.day(datetime.combine(asked, time(12), now.tzinfo), now))
    if spans == WHOLE_DAY:
        dialogue.say(_("%(day)s, we are open all day.") % {"day": named})
        return
    hours = wording.listed([_("from %(from)s to %(to)s") % each for each in spans])
    sentence = _("%(day)s, we are open %(hours)s.") if spans else _("%(day)s, we are closed.")
    dialogue.say(sentence % {"day": named, "hours": hours})
    again = datetime.fromisoformat(opens_next).astimezone(now.tzinfo) if opens_next else None
    if again and again > now and (not spans or again.date() > asked == now.date()):
        dialogue.say(_("We open again %(when)s.") % {"when": wording.moment_of(again, now)})
