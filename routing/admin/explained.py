"""Pages whose fields say what they are for, in a manager's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Field
from django.forms import Field as FormField
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Texts = Mapping[str, str | Promise]

STAFF_NAME = _("What staff and reports call it.")


class Explained:
    """A page, or the rows within one, that explains its fields by name (`help_texts`), where the model itself does not."""

    help_texts: Texts = {}

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest | None, **options: Any) -> FormField | None:
        """The field with its explanation."""
        if db_field.name in self.help_texts:
            options["help_text"] = self.help_texts[db_field.name]
        field: FormField | None = super().formfield_for_dbfield(db_field, request, **options)  # type: ignore[misc]
        return field
