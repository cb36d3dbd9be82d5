"""Where two joined records say different things about a person, and what became of it."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models import customer_fields
from conversations.models.customer import Customer, CustomerLink


class FieldConflict(models.Model):
    """One field of a joined record that says more than, or something else than, the record it was joined into.

    Values are as `customer_fields.values_of` gives them: text, for an attribute any JSON, null for nothing. What was written
    because of it is kept with what stood there before (`written_to`, `value_before`), so that it can be taken back exactly.
    """

    class State(models.TextChoices):
        FILLED = "filled", _("Filled in")
        OPEN = "open", _("To be settled")
        SETTLED = "settled", _("Settled")
        UNDONE = "undone", _("Taken back")
        KEPT = "kept", _("Changed since, so it stayed")

    class Choice(models.TextChoices):
        ROOT = "root", _("What stood there")
        JOINED = "joined", _("What the joined record says")

    link = models.ForeignKey(CustomerLink, models.PROTECT, related_name="conflicts")
    field = models.CharField(max_length=200, help_text=_("A column of the customer, or `attributes.` and the name of an attribute."))
    root_value = models.JSONField(null=True)
    joined_value = models.JSONField(null=True)
    state = models.CharField(max_length=8, choices=State.choices)
    chosen = models.CharField(max_length=6, choices=Choice.choices, blank=True)
    settled_by = models.CharField(max_length=200, blank=True, help_text=_("Who chose, as text."))
    settled_at = models.DateTimeField(null=True, blank=True)
    written_to = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="+")
    value_before = models.JSONField(null=True)
    found_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["link", "field"]
        constraints = [
            models.UniqueConstraint(fields=["link", "field"], name="field_conflict_stands_once_per_link_and_field"),
            models.CheckConstraint(
                condition=models.Q(state__in=["filled", "open", "settled", "undone", "kept"]), name="field_conflict_state_is_known"
            ),
            models.CheckConstraint(condition=models.Q(chosen__in=["", "root", "joined"]), name="field_conflict_choice_is_known"),
            models.CheckConstraint(
                condition=(~models.Q(chosen="") & ~models.Q(settled_by="") & models.Q(settled_at__isnull=False))
                | models.Q(chosen="", settled_by="", settled_at__isnull=True),
                name="field_conflict_says_who_chose_and_when",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="settled") | ~models.Q(chosen=""), name="settled_field_conflict_says_what_was_chosen"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="filled") | models.Q(written_to__isnull=False),
                name="filled_field_conflict_says_where_it_was_written",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="open") | models.Q(chosen="", written_to__isnull=True),
                name="open_field_conflict_has_changed_nothing",
            ),
        ]
        indexes = [
            # Serves the customer page and the home page: what is still to be settled.
            models.Index(fields=["link"], name="field_conflict_open", condition=models.Q(state="open"))
        ]

    def __str__(self) -> str:
        return f"{self.link}: {self.label}"

    @property
    def label(self) -> str:
        """What people call the field."""
        return customer_fields.label_of(self.field)
