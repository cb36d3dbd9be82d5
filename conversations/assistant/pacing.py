"""Where the AI agent stops: when what it says leads nowhere, too much of it is asked for, or it talks with a machine.

A machine that repeats what it hears, or itself, is told from a customer by several such texts in a row. A person is asked then,
once; what comes after that stays without an answer, until a person speaks, the customer comes back
on another line, or tells of a danger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from conversations.assistant import guard
from conversations.assistant.outgoing.forms import words
from conversations.assistant.preparing import Prepared
from conversations.models import Entry
from conversations.selectors.pace import Pace, Said

LOOP_AFTER: Final = 4
"""So many texts of the customer's in a row that say nothing but what was said before."""
TEXTS_COMPARED: Final = 8
FEW_WORDS: Final = 3
SHARED: Final = 0.8
SIMILAR_LENGTH: Final = 0.5


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the AI agent says no more, as a word and as a sentence for staff; `is_told`: a person was asked already."""

    reason: str
    sentence: str
    is_told: bool


def stop_of(prepared: Prepared, pace: Pace) -> Stop | None:
    """Whether to stop before this turn is answered; None to go on."""
    if _is_left_to_people(pace, prepared):
        return Stop("stopped", _("The AI agent has stopped, and a person is being found."), is_told=True)
    repeated = _repeated(pace)
    if repeated >= LOOP_AFTER:
        theirs = [said.seq for said in pace.said if said.by_customer]
        begun = theirs[-repeated] if repeated < len(theirs) else 0
        return Stop("loop", _("The other side repeats itself or us, as machines do."), pace.stopped_seq > begun)
    is_told = pace.stopped_seq > pace.headway_seq
    if pace.replies_in_a_minute >= settings.ASSISTANT_REPLIES_PER_MINUTE:
        return Stop("too_fast", _("More answers are asked for in a minute than anybody reads."), pace.stopped_seq > 0)
    if pace.replies_in_a_row >= settings.ASSISTANT_REPLIES_IN_A_ROW:
        return Stop("no_headway", _("There were many answers in a row, and nothing has come of them."), is_told)
    if sum(pace.used.values()) >= guard.most_tool_calls(prepared.standing.behaviour):
        return Stop("too_many_tools", _("More was looked up in this conversation than is allowed."), pace.stopped_seq > 0)
    return None


def _is_left_to_people(pace: Pace, prepared: Prepared) -> bool:
    """Whether it has stopped and the person who was asked has not come yet: other words do not start it again, only a danger does.

    Whoever comes back on a new line is answered there.
    """
    has_stopped = pace.stopped_seq > 0 and prepared.handoff is not None and not _came_back(prepared, pace.stopped_seq)
    return has_stopped and prepared.context.understanding.urgency != "emergency"


def _came_back(prepared: Prepared, stopped_seq: int) -> bool:
    return Entry.objects.filter(conversation=prepared.conversation, kind="interaction.started", seq__gt=stopped_seq).exists()


def _repeated(pace: Pace) -> int:
    """How many of the customer's last texts in a row say nothing new."""
    count = 0
    for index in range(len(pace.said) - 1, -1, -1):
        if not pace.said[index].by_customer:
            continue
        if not _says_nothing_new(pace.said[: index + 1], pace.headway_seq):
            return count
        count += 1
    return count


def _says_nothing_new(said: Sequence[Said], headway_seq: int) -> bool:
    """Whether the last of some messages repeats one of ours, or one of the customer's since which nothing was brought on."""
    *earlier, last = said
    ours = [each.text for each in earlier if not each.by_customer][-TEXTS_COMPARED:]
    theirs = [each for each in earlier if each.by_customer and each.seq >= headway_seq][-TEXTS_COMPARED:]
    if len(words(last.text)) < FEW_WORDS:
        # “Yes” is said often; it leads nowhere when it is answered with the same each time.
        stuck = len(ours) > 1 and _are_alike(ours[-1], ours[-2])
        return stuck and any(words(each.text) == words(last.text) for each in theirs)
    return any(_are_alike(last.text, text) for text in [*ours, *(each.text for each in theirs)])


def _are_alike(one: str, other: str) -> bool:
    """Whether two texts say the same but for a few words and for the numbers in them."""
    first, second = _telling(one), _telling(other)
    if not first or not second:
        return first == second
    shorter, longer = sorted((len(first), len(second)))
    return len(first & second) >= SHARED * shorter and shorter >= SIMILAR_LENGTH * longer


def _telling(text: str) -> set[str]:
    return {word for word in words(text) if not any(letter.isdigit() for letter in word)}
