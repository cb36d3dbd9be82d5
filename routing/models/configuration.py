"""The stamp of what managers set up and every turn reads: written by triggers of the database alone."""

from __future__ import annotations

from typing import Final

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

DRAW_ANEW: Final = """
    INSERT INTO routing_configuration (id, stamp) VALUES (1, gen_random_uuid()) ON CONFLICT (id) DO UPDATE SET stamp = EXCLUDED.stamp;
    RETURN NULL;
"""


def set_up() -> pgtrigger.Trigger:
    """Draws the stamp anew with each statement that writes to a table. For tables that `routing.configuration.kept` functions read."""
    return pgtrigger.Trigger(
        name="what_is_set_up_has_another_stamp",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
        func=DRAW_ANEW,
    )


class Configuration(models.Model):
    """One row. `stamp` is drawn anew by each statement that changes reasons, their phrases, exceptional dates or playbooks.

    It is random and not counted up, so that one that was rolled back never comes again. Who reads it before what it stands for
    never takes something old for new.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    stamp = models.UUIDField()

    class Meta:
        verbose_name_plural = _("configuration")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_configuration")]

    def __str__(self) -> str:
        return str(self.stamp)
