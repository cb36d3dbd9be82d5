"""“When do you close today?”: answered from the hours that are kept, which an article cannot know."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Final

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from conversations.assistant import acts, wording
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import find_hours

HOURS: Final = re.compile(r"\b(?:open(?:ing|s)?|clos(?:e|es|ed|ing)|shuts?|hours)\b")
NEAR: Final = re.compile(r"\b(?P<today>today|tonight|now|right now|currently|this (?:morning|afternoon|evening))\b|\btomorrow\b")
OF_SOMETHING_ELSE: Final = re.compile(r"\b(?:emergency|line|visits?|appointments?|engineers?|plumbers?|tap|valve|ticket|account|invoice)\b")
WHOLE_DAY: Final = [{"from": "00:00", "to": "24:00"}]


async def answer(dialogue: Dialogue) -> bool:
    """Says from when to when somebody is there today or tomorrow; says whether that was asked and hours are kept."""
    context = dialogue.context
    words = acts.plain(context.words)
    near = NEAR.search(words)
    if not near or not HOURS.search(words) or OF_SOMETHING_ELSE.search(words) or not acts.wants_to_know(context.words):
        return False
    asked = context.now.date() + timedelta(days=0 if near["today"] else 1)
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
