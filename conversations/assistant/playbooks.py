"""The published playbook of an entry point, as the plain values that a brain gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from django.db import connection

from conversations.assistant.brain import Behaviour, Form, FormField
from conversations.assistant.tools.base import Link
from conversations.models import EntryPoint, Playbook, PlaybookForm, PlaybookFormField
from conversations.selectors.roll_out import left_to_people
from routing.configuration import kept

VERSIONS_KEPT: Final = 64
STARTING: Final = """
SELECT link.playbookform_id, reason.code
  FROM conversations_playbookform_reasons AS link
  JOIN conversations_playbookform AS form ON form.id = link.playbookform_id
  JOIN routing_reasoncode AS reason ON reason.id = link.reasoncode_id
 WHERE form.playbook_id = %s
"""


def behaviour_of(entry_point: EntryPoint, playbook: Playbook | None = None, language: str = "") -> Behaviour:
    """The published version in a language (two letters; empty: the usual one).

    What the process has not seen of it yet is read (`routing.configuration`).
    Raises Playbook.DoesNotExist when no version is published.
    """
    playbook = playbook or entry_point.playbook
    forms = _forms_of(playbook.pk, playbook.created_at)
    translation = playbook.translations.get(language, {})
    translated = translation.get("forms", {})
    starting = _starting(playbook.pk)
    return Behaviour(
        code=playbook.code,
        version=playbook.version,
        persona=playbook.persona,
        policies=playbook.policies,
        tools=frozenset(playbook.tools),
        knowledge_check=tuple(playbook.knowledge_check),
        opens_with_answers=frozenset(playbook.opens_with_answers),
        languages=tuple(playbook.languages),
        reason_threshold=playbook.reason_threshold,
        knowledge_threshold=playbook.knowledge_threshold,
        forms=tuple(_form(form, starting.get(form.pk, frozenset()), translated.get(form.code, {})) for form in forms),
        links=links_of(playbook),
        tool_limits={str(tool): int(most) for tool, most in playbook.tool_limits.items()},
        most_tool_calls=playbook.most_tool_calls,
        names=translation.get("names", {}),
    )


def as_rolled_out(behaviour: Behaviour, entry_point: EntryPoint) -> Behaviour:
    """Without the forms, and the tools that they end with, which are only for reasons that people answer at this door.

    Nothing of theirs is then offered, or done, under a reason that the AI agent does answer. One statement, none where it answers all.
    """
    left = left_to_people(entry_point, frozenset().union(*(form.reasons for form in behaviour.forms)))
    forms = tuple(form for form in behaviour.forms if not form.reasons or form.reasons - left)
    if len(forms) == len(behaviour.forms):
        return behaviour
    ends_with = {form.tool for form in behaviour.forms} - {form.tool for form in forms}
    return replace(behaviour, forms=forms, tools=behaviour.tools - ends_with)


@kept
def _starting(playbook_id: int) -> Mapping[int, frozenset[str]]:
    """The codes of the reasons that start each form of a version."""
    starting: dict[int, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(STARTING, [playbook_id])
        for form_id, reason in cursor.fetchall():
            starting.setdefault(form_id, set()).add(reason)
    return {form_id: frozenset(reasons) for form_id, reasons in starting.items()}


@lru_cache(maxsize=VERSIONS_KEPT)
def _forms_of(playbook_id: int, _made_at: datetime) -> tuple[PlaybookForm, ...]:
    """The forms of a published version, which never change; the codes of reasons might, so they are not among what is kept.

    A version is told by when it was made as well, since a database may be emptied and its numbers given again.
    """
    return tuple(PlaybookForm.objects.filter(playbook=playbook_id).prefetch_related("fields").order_by("id"))


def links_of(playbook: Playbook) -> tuple[Link, ...]:
    """The company's links that a playbook lets be sent."""
    return tuple(Link(str(each["code"]), str(each["label"]), str(each["address"])) for each in playbook.links)


def _form(form: PlaybookForm, reasons: frozenset[str], translated: Mapping[str, Any]) -> Form:
    questions = translated.get("fields", {})
    return Form(
        code=form.code,
        name=form.name,
        reasons=reasons,
        tool=form.tool,
        closing=translated.get("closing", form.closing),
        fields=tuple(_field(field, questions.get(field.fact)) for field in form.fields.all()),
    )


def _field(field: PlaybookFormField, translated: Mapping[str, str] | None) -> FormField:
    if translated is None:
        return FormField(field.fact, field.prompt, field.spoken_prompt, field.required)
    return FormField(field.fact, translated["prompt"], translated.get("spoken", ""), field.required)
