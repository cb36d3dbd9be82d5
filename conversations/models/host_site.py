"""The web sites that may say who sits in front of a browser: the keys they sign with, and the tokens they were believed."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.entry_point import EntryPoint

SYSTEM = r"^[a-z0-9][a-z0-9_.-]*$"
"""What a site's short name looks like: it stands before the colon of its customers' ids."""


class HostSiteKey(models.Model):
    """One key of a host site at one web entry point. A token names it by `kid`; how it must be signed is said here alone.

    Of a public key only the public half is known here. A shared secret is kept sealed; see `services.sealing`.
    """

    class Algorithm(models.TextChoices):
        HS256 = "HS256", _("Shared secret (HS256)")
        RS256 = "RS256", _("RSA (RS256)")
        ES256 = "ES256", _("Elliptic curve P-256 (ES256)")
        EDDSA = "EdDSA", _("Ed25519 (EdDSA)")

    class State(models.TextChoices):
        ACTIVE = "active", _("Accepted")
        RETIRING = "retiring", _("Accepted until a date")
        REVOKED = "revoked", _("Not accepted any more")

    entry_point = models.ForeignKey(
        EntryPoint,
        models.PROTECT,
        related_name="host_site_keys",
        limit_choices_to={"channel": "chat"},
        help_text=_("The web chat that believes this key. The site names it as “aud”."),
    )
    system = models.CharField(
        _("short name of the site"),
        max_length=40,
        help_text=_("Small letters and digits, such as shop. The site's customers are kept as shop:10042."),
    )
    kid = models.CharField(_("key id"), max_length=40, help_text=_("What the site writes into the header of its tokens."))
    algorithm = models.CharField(max_length=5, choices=Algorithm.choices, default=Algorithm.ES256)
    public_key = models.TextField(blank=True, help_text=_("In PEM form, from BEGIN PUBLIC KEY to END PUBLIC KEY."))
    sealed_secret = models.TextField(blank=True, editable=False, help_text=_("The shared secret, encrypted."))
    secret_shown_at = models.DateTimeField(null=True, blank=True, editable=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    accepted_until = models.DateTimeField(null=True, blank=True)
    made_by = models.CharField(max_length=200, help_text=_("Who made it, as text."))
    made_at = models.DateTimeField(db_default=Now())
    revoked_by = models.CharField(max_length=200, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["entry_point", "-made_at", "-id"]
        verbose_name = _("host site key")
        verbose_name_plural = _("host site keys")
        constraints = [
            models.UniqueConstraint(fields=["entry_point", "kid"], name="host_site_key_id_is_unique_per_entry_point"),
            models.CheckConstraint(
                condition=models.Q(algorithm__in=["HS256", "RS256", "ES256", "EdDSA"]), name="host_site_key_algorithm_is_allowed"
            ),
            models.CheckConstraint(
                condition=models.Q(algorithm="HS256", public_key="") & ~models.Q(sealed_secret="")
                | ~models.Q(algorithm="HS256") & models.Q(sealed_secret="") & ~models.Q(public_key=""),
                name="host_site_key_is_a_secret_or_public_as_its_algorithm_needs",
            ),
            models.CheckConstraint(condition=models.Q(system__regex=SYSTEM), name="host_site_has_a_short_name"),
            models.CheckConstraint(condition=models.Q(kid__regex=r"^[A-Za-z0-9._-]+$"), name="host_site_key_has_an_id"),
            models.CheckConstraint(
                condition=models.Q(state="active", accepted_until__isnull=True)
                | models.Q(state="retiring", accepted_until__isnull=False)
                | models.Q(state="revoked"),
                name="host_site_key_has_a_last_day_exactly_when_retiring",
            ),
            models.CheckConstraint(
                condition=models.Q(state="revoked", revoked_at__isnull=False) & ~models.Q(revoked_by="")
                | ~models.Q(state="revoked") & models.Q(revoked_at__isnull=True, revoked_by=""),
                name="host_site_key_says_who_revoked_it_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.kid}"


class HostSiteToken(models.Model):
    """A token that was believed, and the browser that it counts for: the first one that showed it, until it signs out.

    Kept as a digest, no longer than the token itself is good for.
    """

    digest = models.CharField(max_length=64, unique=True)
    browser = models.CharField(max_length=32, blank=True, help_text=_("The browser's series; empty since it signed out."))
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-expires_at"]
        indexes = [models.Index(fields=["browser"], name="host_site_token_by_browser")]

    def __str__(self) -> str:
        return self.digest
