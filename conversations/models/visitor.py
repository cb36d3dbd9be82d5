"""Ids of browsers that are out of use."""

from django.db import models
from django.db.models.functions import Now


class RetiredVisitor(models.Model):
    """A visitor id that was replaced or signed out: whoever still shows its token is somebody new.

    Kept as long as a token of it may be shown; see `services.visitors`.
    """

    visitor = models.CharField(max_length=64, unique=True)
    retired_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        ordering = ["-retired_at"]

    def __str__(self) -> str:
        return self.visitor
