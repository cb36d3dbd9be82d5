"""The stamp of what managers set up and every turn reads: written by triggers of the database alone."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Configuration(models.Model):
    """One row. `stamp` is drawn anew by each statement that changes reasons, their phrases, exceptional dates or playbooks.

    It is random and not counted up, so that one that was rolled back never comes again. Who reads it before what it stands for
    never takes something old for new. The trigger `routing_configuration_changed` also works where triggers are off for a copy.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    stamp = models.UUIDField()

    class Meta:
        verbose_name_plural = _("configuration")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_configuration")]

    def __str__(self) -> str:
        return str(self.stamp)
