"""The customer, and the links that join two records without rewriting either."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from conversations.models.folding import folded, folded_words


class Customer(models.Model):
    """One person or household. `root` is the record this one is joined into, or itself.

    Rows that belong to a customer keep the record they were made for (`original_customer`) and the
    record they count for now (`customer`, always a root): joining and un-joining move only the latter.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    root = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="joined_records",
        editable=False,
        help_text=_("The record this one is joined into; empty when it stands for itself."),
    )
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=64, blank=True)
    tier = models.CharField(max_length=20, default="standard")
    date_of_birth = models.DateField(null=True, blank=True)
    address = models.CharField(max_length=300, blank=True, help_text=_("Street and town, as it would stand on a letter."))
    postcode = models.CharField(
        max_length=16, blank=True, help_text=_("Capitals and digits without spaces, so that it is found however it is written.")
    )
    open_balance = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    search_keys = models.GeneratedField(
        expression=models.Func(
            models.Func(models.F("name"), function="conversations_sounds"),
            models.F("date_of_birth"),
            models.F("postcode"),
            function="conversations_search_keys",
        ),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
        help_text=_("What it is found by when name, birthday or postcode were not heard quite right; kept by the database."),
    )
    erased_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("When erasing the person began; the record is nobody's from then on.")
    )

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            GinIndex(fields=["search_keys"], name="customer_by_what_was_heard"),
            models.Index(fields=["date_of_birth"], condition=models.Q(date_of_birth__isnull=False), name="customer_by_date_of_birth"),
            models.Index(fields=["postcode"], condition=~models.Q(postcode=""), name="customer_by_postcode"),
            # Serve the search by name: its words or how they begin, and with typos.
            GinIndex(folded_words("name"), name="customer_by_words_of_the_name", fastupdate=False),
            GinIndex(OpClass(folded("name"), "gin_trgm_ops"), name="customer_by_similar_name", fastupdate=False),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(root__isnull=True) | ~models.Q(root=models.F("id")),
                name="customer_root_is_another_record",
            ),
            models.CheckConstraint(
                condition=models.Q(postcode__regex=r"^[A-Z0-9]*$"), name="customer_postcode_has_capitals_and_digits_only"
            ),
        ]
        permissions = [("import_customer", "Can import customers"), ("export_customer", "Can export customers")]

    def __str__(self) -> str:
        unnamed = _("Erased customer %(number)s") if self.erased_at else _("Customer %(number)s")
        return self.name or str(unnamed) % {"number": self.pk}

    def told_apart(self, called: str = "") -> str:
        """What it is called where another record is spoken of, too: with its number and since when it is there.

        `called` is what to call it instead, such as the number that somebody without a name is reached at.
        """
        sentence = _("%(name)s (record %(number)s, since %(since)s)") if called or self.name else _("%(name)s (since %(since)s)")
        since = date_format(timezone.localtime(self.created_at), "j M Y")
        return str(sentence) % {"name": called or self, "number": self.pk, "since": since}


class CustomerLink(models.Model):
    """One joining of two records, with its evidence. Un-joining deactivates the row; it is never deleted."""

    joined = models.ForeignKey(Customer, models.PROTECT, related_name="links_out")
    into = models.ForeignKey(Customer, models.PROTECT, related_name="links_in")
    evidence = models.JSONField(default=dict)
    active = models.BooleanField(default=True)
    made_by = models.CharField(max_length=200, help_text=_("Who or what rule, as text, so that it outlives accounts."))
    made_at = models.DateTimeField(db_default=Now())
    undone_by = models.CharField(max_length=200, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.UniqueConstraint(fields=["joined"], condition=models.Q(active=True), name="customer_is_joined_into_one_record"),
            models.CheckConstraint(condition=~models.Q(joined=models.F("into")), name="customer_is_not_joined_into_itself"),
            models.CheckConstraint(
                condition=models.Q(active=True, undone_at__isnull=True) | models.Q(active=False, undone_at__isnull=False),
                name="customer_link_is_dated_when_undone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.joined.told_apart()} → {self.into.told_apart()}"


class MatchCandidate(models.Model):
    """Two records that may be one person. People see it and decide; nothing is joined by it."""

    class State(models.TextChoices):
        OPEN = "open", _("To be looked at")
        JOINED = "joined", _("Joined")
        DISMISSED = "dismissed", _("Different people")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="candidates")
    other = models.ForeignKey(Customer, models.CASCADE, related_name="candidates_of_others")
    score = models.FloatField(default=0.5)
    evidence = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField(db_default=Now())
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-score", "-found_at"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "other"], name="match_candidate_stands_once_per_pair"),
            models.CheckConstraint(condition=~models.Q(customer=models.F("other")), name="match_candidate_is_about_two_records"),
            models.CheckConstraint(condition=models.Q(score__gte=0, score__lte=1), name="match_score_is_zero_to_one"),
            models.CheckConstraint(condition=models.Q(state__in=["open", "joined", "dismissed"]), name="match_candidate_state_is_known"),
        ]

    @property
    def how_sure(self) -> str:
        """The score as whole percent; what is not quite sure is not rounded up to a hundred."""
        return f"{int(self.score * 100 + 1e-9)} %"

    def __str__(self) -> str:
        return str(_("%(one)s and %(other)s")) % {"one": self.customer.told_apart(), "other": self.other.told_apart()}
