"""What is said when nothing answers: a question back where there is a likely guess, otherwise that it is not known."""

from __future__ import annotations

from django.utils.translation import gettext as _

from conversations.assistant import acts
from conversations.assistant.brain import Reply
from conversations.assistant.rules import booking, chat_link, knowledge
from conversations.assistant.rules.dialogue import Dialogue, echo


def reply(dialogue: Dialogue) -> Reply:
    """A question back, or a person offered. What was asked is kept for whoever writes articles; what was only told is not."""
    context = dialogue.context
    asks = acts.wants_to_know(context.words)
    dialogue.does_not_know = asks
    if context.reason_is_new and context.reason:
        return booking.offer_person(dialogue, _("I have no answer to that in our help pages."), or_ticket=True)
    dialogue.say(echo(context))
    if context.alternatives and not context.failed_turns and not acts.asks_only(context.words):
        return _ask_back(dialogue)
    dialogue.say(
        _("I am sorry, I do not know: I have no answer to that.")
        if asks
        else _("I am sorry, I did not understand that.")
    )
    return booking.offer_person(dialogue, chat_link.offer(dialogue), or_ticket=True)


def _ask_back(dialogue: Dialogue) -> Reply:
    context = dialogue.context
    names = knowledge.names_of_reasons(dialogue)
    if len(context.alternatives) > 1:
        dialogue.say(_("I want to get this right. Is it about one of these: %(reasons)s?") % {"reasons": names})
    else:
        dialogue.say(_("I want to get this right. Is it about this: %(reason)s?") % {"reason": names})
    dialogue.say(_("You can also say it in other words."))
    dialogue.say(chat_link.offer(dialogue))
    named = [{"code": reason.code, "name": context.behaviour.named(reason.name)} for reason in context.alternatives]
    dialogue.suggest([each["name"] for each in named])
    dialogue.state["clarify"] = named
    return dialogue.reply(failed=True)
