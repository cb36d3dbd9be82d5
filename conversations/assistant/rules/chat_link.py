"""From the phone into the chat: a caller who would rather type gets a link by text message."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import acts
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import send_chat_link
from conversations.services import consent_texts

TOOL: Final = send_chat_link.TOOL.name


async def wanted(dialogue: Dialogue) -> Reply | None:
    """A caller's wish to go on in writing; where the call stands stays as it is."""
    if not _is_there(dialogue) or not acts.IN_WRITING.search(acts.plain(dialogue.context.words)):
        return None
    return told(dialogue, await dialogue.tools.call(TOOL, {}))


def told(dialogue: Dialogue, result: ToolResult) -> Reply:
    """What came of it."""
    if result.worked:
        ending = " ".join(str(result.result["ending"]))
        dialogue.say(_("I have sent a link to your number, ending in %(ending)s. It opens our chat where we are now.") % {"ending": ending})
        dialogue.say(_("It is good for fifteen minutes. You can also stay on the line."))
    else:
        dialogue.say(result.sentence)
        dialogue.say(_("We can go on here. What can I do for you?"))
    return dialogue.reply()


def offer(dialogue: Dialogue) -> str:
    """A sentence that offers the link to a caller; empty where there is none."""
    return str(consent_texts.CHAT_LINK) if _is_there(dialogue) else ""


def _is_there(dialogue: Dialogue) -> bool:
    return dialogue.context.spoken and TOOL in dialogue.context.behaviour.tools
