"""What managers did to many rows at once, in the admin's log of actions."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model


def note(user: Any, model: type[Model], sentence: str) -> None:
    """Keeps who did what to rows of a model, as one sentence of at most 200 characters."""
    LogEntry.objects.create(
        user_id=user.pk, content_type=ContentType.objects.get_for_model(model), object_repr=sentence[:200], action_flag=CHANGE
    )
