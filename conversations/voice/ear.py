"""How the platform is to listen to what is said next: which words it may expect, and after how long a silence somebody has ended.

Source: Vonage, "NCCO reference", input: `context` and `endOnSilence`. The names of the playbook are read once a minute and process.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from django.utils import timezone

from conversations.models import Interaction, Playbook
from conversations.voice.ncco import END_OF_SPEECH_SECONDS, Ear
from routing.models import ReasonCode

DICTATED: Final = frozenset({"name", "phone", "email", "postcode", "address", "order_number", "amount", "details", "date_of_birth"})
"""Facts that are said in pieces, with a breath between them: digits in groups, letters one by one, a story."""
DICTATED_SECONDS: Final = 2.0
CHOICE_SECONDS: Final = 0.9
"""Whoever was told what they can say takes one of these in one breath."""
SPELLING_STEPS: Final = ("code", "questions")
LONGEST_HINT: Final = 100
MOST_HINTS: Final = 30


def ear_for(call: Interaction, choices: Sequence[str] = ()) -> Ear:
    """How to listen to the answer to what was said last on a call, of which `choices` were told as possible ones."""
    if choices:
        return Ear(CHOICE_SECONDS, tuple(each[:LONGEST_HINT] for each in choices[:MOST_HINTS]))
    state = call.conversation.form_state
    asked = "phone" if call.data.get("call_back_step") == "asking" else str(state.get("asked") or "")
    if asked in DICTATED or state.get("step") in SPELLING_STEPS:
        return Ear(DICTATED_SECONDS)
    if asked:
        return Ear()
    door = call.entry_point
    minute = int(timezone.now().timestamp()) // 60
    return Ear(hints=(door.company_name, *_names(door.playbook_code, call.language.partition("-")[0], minute))[:MOST_HINTS])


def ended_after(call: Interaction) -> float:
    """After how many seconds of silence whoever answered the last reply on a call was taken to have ended."""
    return float((call.data.get("said") or {}).get("ended_after", END_OF_SPEECH_SECONDS))


@lru_cache(maxsize=64)
def _names(playbook_code: str, language: str, _minute: int) -> tuple[str, ...]:
    """What the published playbook calls the reasons for which customers come, and its links, in a language (two letters)."""
    playbook = Playbook.objects.filter(code=playbook_code, status=Playbook.Status.PUBLISHED).first()
    if playbook is None:
        return ()
    reasons = ReasonCode.objects.filter(active=True).order_by("name").values_list("name", flat=True)
    return tuple(playbook.name_in(language, each)[:LONGEST_HINT] for each in [*reasons, *(str(link["label"]) for link in playbook.links)])
