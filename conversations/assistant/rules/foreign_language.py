"""Somebody writes in a language that is not spoken here: told so once, with those that are, and a person is offered."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import wording
from conversations.assistant.brain import Reply
from conversations.assistant.rules.booking import offer_person
from conversations.assistant.rules.dialogue import Dialogue
from conversations.understanding.languages import LANGUAGES, unspoken

NAMES: Final = {
    "en": _lazy("English"), "es": _lazy("Spanish"), "fr": _lazy("French"), "de": _lazy("German"), "it": _lazy("Italian"),
    "pt": _lazy("Portuguese"), "pl": _lazy("Polish"),
}  # fmt: skip


def told(dialogue: Dialogue) -> Reply | None:
    """That the language of these words is not spoken, also in it; None when it is, when a name was asked for, or when that was said."""
    context = dialogue.context
    language = unspoken(context.text) if dialogue.state.get("asked") != "name" and not context.new_facts else None
    if language is None:
        return None
    codes = [code for code in LANGUAGES if code in ("en", *context.behaviour.languages)]
    in_their_words = language.says(codes)
    if any(in_their_words in " ".join(line.text.split()) for line in context.history):
        return None
    dialogue.say(
        _("I am sorry, I do not speak %(language)s; I speak %(languages)s.")
        % {
            "language": NAMES[language.code],
            "languages": wording.listed([str(NAMES[code]) for code in codes]),
        }
    )
    return offer_person(dialogue, in_their_words, failed=False)
