"""Answers that agents give often, kept ready to be put into what they write."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

SHORTCUT = r"^[a-z0-9][a-z0-9-]{0,23}$"
LANGUAGE = r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$"


class SavedReply(models.Model):
    """One ready answer. Placeholders in braces are filled in when it is put in; see selectors.saved_replies."""

    title = models.CharField(max_length=80, help_text=_("What agents see in the list."))
    shortcut = models.CharField(
        max_length=24,
        help_text=_("One short word in small letters. Typing a slash and this word puts the reply in."),
        validators=[RegexValidator(SHORTCUT, _("Use small letters, digits and hyphens only, such as on-our-way."))],
    )
    body = models.TextField(max_length=4000)
    language = models.CharField(
        max_length=10,
        blank=True,
        help_text=_("The language it is written in, such as en. Empty: for every customer."),
        validators=[RegexValidator(LANGUAGE, _("Write a language as en or en-GB."))],
    )
    active = models.BooleanField(default=True, help_text=_("Agents are offered active replies only."))
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["title"]
        verbose_name_plural = _("saved replies")
        constraints = [
            models.UniqueConstraint(
                fields=["shortcut"],
                name="saved_reply_shortcut_is_unique",
                violation_error_message=_("Another saved reply has this shortcut."),
            ),
            models.CheckConstraint(condition=models.Q(shortcut__regex=SHORTCUT), name="saved_reply_shortcut_is_one_short_word"),
            models.CheckConstraint(condition=models.Q(title__regex=r"\S"), name="saved_reply_has_a_title"),
            models.CheckConstraint(condition=models.Q(body__regex=r"\S"), name="saved_reply_says_something"),
            models.CheckConstraint(condition=models.Q(language__regex=LANGUAGE), name="saved_reply_language_is_a_code"),
        ]

    def __str__(self) -> str:
        return self.title
