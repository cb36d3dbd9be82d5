"""The questions of a playbook's form: a place among the others in place of a number that nobody else may have."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.models import PlaybookFormField
from conversations.services import playbooks


class QuestionEditor(forms.ModelForm):
    """A question of a form, with its place among the others."""

    place = forms.IntegerField(
        label=_("Order"), min_value=1, required=False,
        help_text=_("1 is asked first. A question that is given the place of another one goes before it; without one, last."),
    )

    class Meta:
        model = PlaybookFormField
        fields = ("place", "fact", "prompt", "spoken_prompt", "required")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            self.initial["place"] = self.instance.order


class Questions(forms.BaseInlineFormSet):
    """The questions of a form, numbered anew when they are saved."""

    def save(self, commit: bool = True) -> Any:
        """Puts every question in its place; one that was moved or is new goes before the one that has its place."""
        new = [form for form in self.extra_forms if form.has_changed() and form not in self.deleted_forms]
        for place, form in enumerate(new, start=1):
            form.instance.order = playbooks.NEW + place
        saved = super().save(commit)
        kept = [form for form in [*self.initial_forms, *new] if form not in self.deleted_forms]
        kept.sort(key=_place_of)
        playbooks.put_in_order(self.instance, [form.instance.pk for form in kept])
        return saved


def _place_of(form: forms.ModelForm) -> tuple[float, bool]:
    return form.cleaned_data.get("place") or float("inf"), "place" not in form.changed_data
