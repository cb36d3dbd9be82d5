"""Publishing a playbook: it answers customers only when it says that it is an AI, in each of its languages, and can do what it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import wording
from conversations.assistant.tools import ALWAYS_THERE, COMES_WITH, TOOLS
from conversations.models import Playbook, PlaybookForm
from conversations.services import playbooks
from conversations.understanding.gloss import fold
from conversations.understanding.languages import LANGUAGES

SAYS_AI: Final = {
    "en": re.compile(
        r"\ba\.?i\b|\bartificial(?:ly)? intelligen|\b(?:automated|automatic) (?:\w+ )?(?:assistant|agent|system|helper|voice)\b"
        r"|\b(?:computer|machine|robot|(?:chat|voice)?bot|software)\b"
    ),
    "es": re.compile(
        r"\bi\.?a\b|\binteligencia artificial\b|\b(?:asistente|agente|sistema|voz) (?:\w+ )?(?:automatic[oa]|automatizad[oa])\b"
        r"|\b(?:ordenador|computadora|maquina|robot|(?:chat|voz)?bot|programa informatico|software)\b"
    ),
}
"""What says plainly that no person speaks, in the letters of `fold`."""
DENIED: Final = re.compile(r"(?:\b(?:not?|never|nor|without|nunca|ni|sin)|n['’]t) (?:\w+ ){0,2}$")
"""What makes the opposite of it, just before: “a person and no machine”."""


class NotReady(ValueError):
    """A playbook that may not answer customers yet; `problems` are sentences that say what is missing."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def publish(playbook: Playbook) -> None:
    """Makes a draft the version that answers from the next turn on. Locks the versions of its code.

    Raises NotReady, playbooks.NotADraft.
    """
    problems = list(problems_of(playbook)) if playbook.status == Playbook.Status.DRAFT else []
    if problems:
        raise NotReady(problems)
    playbooks.publish(playbook)


def problems_of(playbook: Playbook) -> Iterator[str]:
    """What a playbook lacks for answering customers, each as a sentence."""
    yield from _of_its_languages(playbook)
    for form in playbook.forms.order_by("name"):
        yield from _of_a_form(form, frozenset(playbook.tools))


def wordings_missing(playbook: Playbook) -> list[str]:
    """The questions and closings that customers of its other languages would be asked in the first one, each as a sentence."""
    forms = list(playbook.forms.prefetch_related("fields").order_by("name"))
    found = []
    for language in playbook.languages[1:]:
        said = playbook.translations.get(language, {}).get("forms", {})
        for form in forms:
            there = said.get(form.code, {})
            asked = [field.prompt for field in form.fields.all() if field.fact not in there.get("fields", {})]
            missing = [*asked, *([form.closing] if form.closing and not there.get("closing") else [])]
            if missing:
                words = {"language": LANGUAGES.get(language, language), "form": form.name}
                told = wording.listed([f"“{text}”" for text in missing])
                found.append(_("Not in %(language)s yet, of the form “%(form)s”: %(texts)s.") % {**words, "texts": told})
    return found


def says_ai(text: str, language: str) -> bool:
    """Whether a text says in a language (two letters) that an AI, a machine or an automated assistant speaks."""
    words = " ".join(fold(text).split())
    pattern = SAYS_AI.get(language)
    return pattern is not None and any(not DENIED.search(words[: found.start()]) for found in pattern.finditer(words))


def _of_its_languages(playbook: Playbook) -> Iterator[str]:
    unknown = [language for language in playbook.languages if language not in LANGUAGES]
    if unknown or not playbook.languages:
        known = wording.listed([f"{code} ({name})" for code, name in LANGUAGES.items()])
        yield _("Choose its languages among those that the AI agent speaks: %(known)s.") % {"known": known}
    for language in playbook.languages:
        if language in LANGUAGES and not says_ai(playbook.disclosure_in(language), language):
            yield _(
                "Please let its disclosure say in %(language)s that an AI, an automated assistant or a machine speaks,"
                " such as “%(example)s”: people have a right to know."
            ) % {"language": LANGUAGES[language], "example": EXAMPLES[language]}


EXAMPLES: Final = {"en": "I am an AI assistant.", "es": "Soy un asistente de inteligencia artificial."}


def _of_a_form(form: PlaybookForm, ticked: frozenset[str]) -> Iterator[str]:
    if not form.tool:
        return
    named = ticked | ALWAYS_THERE
    wanted = (form.tool, *WANTS.get(form.tool, ()))
    missing = [name for name in wanted if name not in named and COMES_WITH.get(name) not in named]
    if missing:
        titles = wording.listed([f"“{TOOLS[name].title if name in TOOLS else name}”" for name in missing])
        yield _("The form “%(form)s” needs what the AI agent may not do: tick %(tools)s, or have the form end in words.") % {
            "form": form.name, "tools": titles,
        }  # fmt: skip


WANTS: Final = {"book": ("check_area", "find_slots"), "reschedule": ("find_slots",), "promise_to_pay": ("find_invoices",)}
"""The tools that a form uses on its way to the one that it ends in."""
