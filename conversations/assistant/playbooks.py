"""The published playbook of an entry point, as the plain values that a brain gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conversations.assistant.brain import Behaviour, Form, FormField
from conversations.assistant.tools.base import Link
from conversations.models import EntryPoint, Playbook, PlaybookForm, PlaybookFormField


def behaviour_of(entry_point: EntryPoint, playbook: Playbook | None = None, language: str = "") -> Behaviour:
    """The published version in a language (two letters; empty: the usual one).

    Four statements, three when `playbook` is given. Raises Playbook.DoesNotExist when no version is published.
    """
    playbook = playbook or entry_point.playbook
    translation = playbook.translations.get(language, {})
    translated = translation.get("forms", {})
    forms = playbook.forms.prefetch_related("fields", "reasons").order_by("id")
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
        forms=tuple(_form(form, translated.get(form.code, {})) for form in forms),
        links=links_of(playbook),
        tool_limits={str(tool): int(most) for tool, most in playbook.tool_limits.items()},
        most_tool_calls=playbook.most_tool_calls,
        names=translation.get("names", {}),
    )


def links_of(playbook: Playbook) -> tuple[Link, ...]:
    """The company's links that a playbook lets be sent."""
    return tuple(Link(str(each["code"]), str(each["label"]), str(each["address"])) for each in playbook.links)


def _form(form: PlaybookForm, translated: Mapping[str, Any]) -> Form:
    questions = translated.get("fields", {})
    return Form(
        code=form.code,
        name=form.name,
        reasons=frozenset(reason.code for reason in form.reasons.all()),
        tool=form.tool,
        closing=translated.get("closing", form.closing),
        fields=tuple(_field(field, questions.get(field.fact)) for field in form.fields.all()),
    )


def _field(field: PlaybookFormField, translated: Mapping[str, str] | None) -> FormField:
    if translated is None:
        return FormField(field.fact, field.prompt, field.spoken_prompt, field.required)
    return FormField(field.fact, translated["prompt"], translated.get("spoken", ""), field.required)
