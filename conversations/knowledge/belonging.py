"""Where an article may stand and in which language: what holds for the form, for imports and for the command."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from conversations.models.knowledge import WORD_FORMS

ADDRESS: Final = re.compile(r"(?:https?://[^\s<>\"()]+|/(?!/)[^\s<>\"()]*)", re.IGNORECASE)


def problem_of_address(address: str) -> str:
    """What is wrong with an address that customers are sent to as the source; empty when nothing is."""
    if ADDRESS.fullmatch(address.strip()):
        return ""
    return _("Write an address that begins with https://, or a path of this site such as /help/boiler-pressure.")


def problem_of_language(language: str) -> str:
    """What is wrong with the language of an article (two letters, or a tag such as en-GB); empty when nothing is."""
    if language.partition("-")[0] in WORD_FORMS:
        return ""
    words = {"language": language, "known": ", ".join(WORD_FORMS)}
    return _("“%(language)s” is no language that articles are searched in. Write one of: %(known)s.") % words
