"""When a form is filled, whoever asked it and on whichever channel: the score of the need, and the answers, for whoever sells."""

from __future__ import annotations

from typing import Final

from conversations.assistant.brain import Form, HandOff, Reply
from conversations.assistant.preparing import Prepared
from conversations.assistant.tools import hand_off
from conversations.services import qualifying
from conversations.services.facts import readable

WITHOUT_EFFECT: Final = frozenset({"", hand_off.TOOL.name})
"""What a form ends with when its answers are all that comes of it; where a tool uses them, that says what came of it."""


def form_filled_by(prepared: Prepared, said: Reply | HandOff) -> Form | None:
    """The form for the reason of the conversation, when every answer it needs is known and nothing more of it is asked.

    A person who is to take over counts as the end of the asking.
    """
    reason = prepared.conversation.reason
    form = prepared.context.behaviour.form_for_reason(reason.code) if reason and prepared.live else None
    if form is None or form.tool not in WITHOUT_EFFECT or not form.fields:
        return None
    is_over = isinstance(said, HandOff) or (said.form_state.get("form") == form.code and said.form_state.get("step") == "done")
    known = prepared.context.facts
    return form if is_over and all(field.fact in known for field in form.fields if field.required) else None


def keep(prepared: Prepared, form: Form) -> None:
    """Keeps what the form came to. Must run in a transaction that holds the customer's lock."""
    known = prepared.context.facts
    qualifying.qualify(
        prepared.conversation,
        form=form.code,
        form_name=form.name,
        score=prepared.need.score,
        answers={field.fact: readable(known[field.fact].value) for field in form.fields if field.fact in known},
        interaction=prepared.interaction,
        made_by=prepared.entry_point.company_name,
    )
