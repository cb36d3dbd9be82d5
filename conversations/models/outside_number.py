"""Numbers outside the company that people may put a caller through to: a supplier, a partner, another office."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.identifier import E164
from routing.models.history import audited


@audited()
class OutsideNumber(models.Model):
    """One such number. Only managers make them: no agent types a number that a caller is put through to."""

    name = models.CharField(max_length=80, unique=True, help_text=_("What agents see and callers hear, such as “our parts supplier”."))
    number = models.CharField(max_length=16, help_text=_("The number that is rung, such as +441632960199."))
    active = models.BooleanField(default=True, help_text=_("Off: nobody is put through to it any more."))

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(number__regex=E164), name="outside_number_is_e164"),
            models.CheckConstraint(condition=~models.Q(name=""), name="outside_number_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
