"""The life of a playbook: a draft is made of any version, and publishing it retires the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import F

from conversations.models import Playbook, PlaybookForm, PlaybookFormField, PlaybookOpening

COPIED = (
    "code", "name", "persona", "disclosure", "policies", "tools", "knowledge_check", "opens_with_answers", "languages",
    "translations",
    "reason_threshold", "knowledge_threshold", "links", "tool_limits", "most_tool_calls",
)  # fmt: skip

COPIED_OF_FORMS = ("code", "name", "tool", "closing")
COPIED_OF_OPENINGS = ("purpose", "language", "opening", "message", "voicemail")
COPIED_OF_FIELDS = ("order", "fact", "prompt", "spoken_prompt", "required")


ASIDE: Final = 10_000
NEW: Final = 2 * ASIDE
"""More than the questions of any form, so that those which are being numbered, or are new, are in nobody's place."""


class NotADraft(ValueError):
    """Only a draft can be published."""


def new_draft(playbook: Playbook) -> Playbook:
    """A new draft with everything that `playbook` has, its forms and openings included, numbered after the newest version.

    An existing draft of the same code is given back instead. Locks the versions of that code.
    """
    with transaction.atomic():
        versions = _locked_versions(playbook.code)
        for version in versions:
            if version.status == Playbook.Status.DRAFT:
                return version
        newest = max(version.version for version in versions)
        draft = Playbook.objects.create(version=newest + 1, **{name: getattr(playbook, name) for name in COPIED})
        for form in playbook.forms.prefetch_related("fields", "reasons"):
            _copy_form(form, draft)
        PlaybookOpening.objects.bulk_create(
            PlaybookOpening(playbook=draft, **{name: getattr(each, name) for name in COPIED_OF_OPENINGS})
            for each in playbook.openings.all()
        )
    return draft


def publish(playbook: Playbook) -> None:
    """Makes a draft the version that answers from the next turn on; the one before retires.

    Locks the versions of its code. Raises NotADraft.
    """
    with transaction.atomic():
        row = next(version for version in _locked_versions(playbook.code) if version.pk == playbook.pk)
        if row.status != Playbook.Status.DRAFT:
            raise NotADraft(f"{row} is {row.get_status_display()}.")
        Playbook.objects.filter(code=row.code, status=Playbook.Status.PUBLISHED).update(status=Playbook.Status.RETIRED)
        Playbook.objects.filter(pk=row.pk).update(status=Playbook.Status.PUBLISHED)


def put_in_order(form: PlaybookForm, questions: Sequence[int]) -> None:
    """Numbers the questions of a form from 1 on: those with these ids first, as they stand here, then what others it has.

    Call it in a transaction; the form of a published playbook refuses.
    """
    rest = [number for number in form.fields.order_by("order").values_list("pk", flat=True) if number not in questions]
    # No two may have one number, not even in between.
    form.fields.update(order=F("order") + ASIDE)
    for place, number in enumerate([*questions, *rest], start=1):
        form.fields.filter(pk=number).update(order=place)


def _copy_form(form: PlaybookForm, draft: Playbook) -> None:
    copy = PlaybookForm.objects.create(playbook=draft, **{name: getattr(form, name) for name in COPIED_OF_FORMS})
    copy.reasons.set(form.reasons.all())
    PlaybookFormField.objects.bulk_create(
        PlaybookFormField(form=copy, **{name: getattr(field, name) for name in COPIED_OF_FIELDS}) for field in form.fields.all()
    )


def _locked_versions(code: str) -> list[Playbook]:
    return list(Playbook.objects.select_for_update(no_key=True).filter(code=code).order_by("version"))
