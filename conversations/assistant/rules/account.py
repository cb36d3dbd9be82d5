"""What the record and the sales system hold of a customer who has shown who they are, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from conversations.assistant import wording
from conversations.assistant.brain import ToolResult
from conversations.assistant.rules.booking import told_of
from conversations.assistant.rules.dialogue import Dialogue


def say_account(dialogue: Dialogue, result: ToolResult) -> None:
    """Says the coming visits, and what is owed or how that can be told."""
    visits = list(result.result["visits"])
    for visit in visits:
        dialogue.say(_("%(service)s on %(window)s, reference %(reference)s.") % told_of(visit, dialogue))
    if not visits:
        dialogue.say(_("You have no visit coming up."))
    if "open_balance" in result.result:
        owed = str(result.result["open_balance"])
        dialogue.say(_told_of_balance(owed, dialogue))
    else:
        dialogue.say(_("For what you owe, say “send me a code”: I can tell it once a code has reached you."))


def _told_of_balance(owed: str, dialogue: Dialogue) -> str:
    if not owed:
        return _("What you owe I cannot look up at the moment.")
    if owed == "0.00":
        return _("You owe nothing.")
    return _("You owe %(amount)s.") % {"amount": wording.money(owed, dialogue.context.language)}
