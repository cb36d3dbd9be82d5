"""How the AI agent behaves: persona, disclosure, policies, forms to fill, tools. Versioned."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.calling_rules import CallPurpose
from routing.models import ReasonCode
from routing.models.configuration import set_up

_REFUSE_WHEN_PUBLISHED = """
    IF TG_OP <> 'INSERT' THEN
        SELECT playbook.status INTO parent_status FROM {parent} WHERE {row} = OLD.{key};
        IF parent_status IN ('published', 'retired') THEN
            RAISE EXCEPTION 'forms of a published playbook never change' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT playbook.status INTO parent_status FROM {parent} WHERE {row} = NEW.{key};
        IF parent_status IN ('published', 'retired') THEN
            RAISE EXCEPTION 'forms of a published playbook never change' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    RETURN OLD;
"""
_OF_A_FORM = "conversations_playbook playbook JOIN conversations_playbookform form ON form.playbook_id = playbook.id"


def _never_changes(name: str, *, parent: str, row: str, key: str) -> pgtrigger.Trigger:
    """Refuses to write rows that belong to a published or retired playbook."""
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        when=pgtrigger.Before,
        declare=[("parent_status", "text")],
        func=_REFUSE_WHEN_PUBLISHED.format(parent=parent, row=row, key=key),
    )


class Playbook(models.Model):
    """One version of how to behave. Published and retired versions never change."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    code = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    name = models.CharField(max_length=80)
    persona = models.TextField(help_text=_("Who the AI agent is and how it speaks."))
    disclosure = models.TextField(help_text=_("The sentence that says, once and plainly, that this is an AI."))
    policies = models.TextField(blank=True)
    tools = models.JSONField(default=list, help_text=_("Names of the tools it may use."))
    knowledge_check = models.JSONField(
        default=list,
        blank=True,
        help_text=_("Where no code can be sent: the answers that together show who somebody is. None ticked: answers prove nothing."),
    )
    opens_with_answers = models.JSONField(
        default=list, blank=True, help_text=_("What right answers open. They prove less than a code, so open little.")
    )
    links = models.JSONField(
        default=list, blank=True, help_text=_("The links that may be sent to customers: code, label and address of each.")
    )
    tool_limits = models.JSONField(
        default=dict, blank=True, help_text=_("How often a tool may be used in one conversation, where that is not as usual.")
    )
    most_tool_calls = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("How many uses of tools one conversation may have altogether. Empty: as usual.")
    )
    languages = models.JSONField(default=list)
    translations = models.JSONField(
        default=dict,
        blank=True,
        help_text=_("What it says in its other languages, by language: disclosure, questions of the forms, names of reasons and services."),
    )
    reason_threshold = models.FloatField(
        default=0.4, help_text=_("Below this confidence the reason counts as unknown and the AI agent asks.")
    )
    knowledge_threshold = models.FloatField(default=0.35)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["code", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="playbook_version_is_unique_per_code"),
            models.UniqueConstraint(fields=["code"], condition=models.Q(status="published"), name="playbook_has_one_published_version"),
            models.CheckConstraint(condition=models.Q(status__in=["draft", "published", "retired"]), name="playbook_status_is_known"),
            models.CheckConstraint(
                condition=models.Q(knowledge_check=[]) | ~models.Q(opens_with_answers=[]),
                name="playbook_asks_questions_only_to_open_something",
            ),
            models.CheckConstraint(condition=~models.Q(disclosure=""), name="playbook_discloses_that_it_is_an_ai"),
            models.CheckConstraint(
                condition=models.Q(reason_threshold__gte=0, reason_threshold__lte=1)
                & models.Q(knowledge_threshold__gte=0, knowledge_threshold__lte=1),
                name="playbook_thresholds_are_zero_to_one",
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="published_playbook_never_changes",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status__in=["published", "retired"]),
                func="""
                    IF NEW.status = 'draft' OR (to_jsonb(NEW) - 'status') <> (to_jsonb(OLD) - 'status') THEN
                        RAISE EXCEPTION 'a published playbook never changes' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="published_playbook_is_never_deleted",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__status__in=["published", "retired"]),
            ),
            set_up(),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    def speaks(self, language: str) -> bool:
        """Whether it answers in a language (two letters)."""
        return language in self.languages

    def disclosure_in(self, language: str) -> str:
        """The sentence that says that this is an AI, in a language (two letters or a tag) when there is one."""
        return str(self._translation(language).get("disclosure") or self.disclosure)

    def name_in(self, language: str, name: str) -> str:
        """What a reason, a service or an area is called in a language (two letters or a tag)."""
        return str(self._translation(language).get("names", {}).get(name, name))

    def _translation(self, language: str) -> dict[str, Any]:
        found: dict[str, Any] = self.translations.get(language.partition("-")[0], {})
        return found


class PlaybookForm(models.Model):
    """Facts to collect for one purpose, then the tool that uses them."""

    playbook = models.ForeignKey(Playbook, models.CASCADE, related_name="forms")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    reasons = models.ManyToManyField(ReasonCode, blank=True, related_name="forms", help_text=_("The reasons that start this form."))
    tool = models.CharField(max_length=40, blank=True, help_text=_("The tool that runs when every fact is there."))
    closing = models.TextField(blank=True, help_text=_("What is said when there is no tool to run."))

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["playbook", "code"], name="playbook_form_code_is_unique_in_its_playbook")]
        triggers: ClassVar = [
            _never_changes(
                "forms_of_a_published_playbook_never_change",
                parent="conversations_playbook playbook", row="playbook.id", key="playbook_id",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class PlaybookFormField(models.Model):
    """One fact to collect and how to ask for it."""

    form = models.ForeignKey(PlaybookForm, models.CASCADE, related_name="fields")
    order = models.PositiveSmallIntegerField()
    fact = models.CharField(max_length=40, help_text=_("name, phone, email, postcode, time_window, order_number, amount, …"))
    prompt = models.CharField(max_length=300)
    spoken_prompt = models.CharField(max_length=300, blank=True, help_text=_("When it is said differently on the phone."))
    required = models.BooleanField(default=True)

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(fields=["form", "fact"], name="playbook_form_asks_for_a_fact_once"),
            models.UniqueConstraint(fields=["form", "order"], name="playbook_form_field_order_is_unique"),
        ]
        triggers: ClassVar = [
            _never_changes("fields_of_a_published_playbook_never_change", parent=_OF_A_FORM, row="form.id", key="form_id")
        ]

    def __str__(self) -> str:
        return self.fact


class PlaybookOpening(models.Model):
    """What is said on a call that we make for one purpose, in one language, in place of the usual words.

    Who is calling, that it is an AI and how to get no more calls is said anyway.
    """

    playbook = models.ForeignKey(Playbook, models.CASCADE, related_name="openings")
    purpose = models.CharField(max_length=12, choices=CallPurpose.choices)
    language = models.CharField(max_length=2, help_text=_("Two letters, such as en."))
    opening = models.CharField(max_length=300, help_text=_("Why we call, for whoever picks up: nothing private. {name} is filled in."))
    message = models.TextField(
        help_text=_("What the customer is told once it is known that it is them. {what}, {when} and {amount} are filled in.")
    )
    voicemail = models.CharField(
        max_length=500, blank=True,
        help_text=_("The message for a machine, which others may hear: nothing private. {company}, {name} and {number} are filled in."),
    )

    class Meta:
        ordering = ["purpose", "language"]
        constraints = [
            models.UniqueConstraint(fields=["playbook", "purpose", "language"], name="playbook_opens_a_call_in_one_way_a_language"),
            models.CheckConstraint(condition=models.Q(purpose__in=CallPurpose.values), name="playbook_opening_is_for_a_known_purpose"),
        ]
        triggers: ClassVar = [
            _never_changes(
                "openings_of_a_published_playbook_never_change",
                parent="conversations_playbook playbook", row="playbook.id", key="playbook_id",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ({self.language})"


class PlaybookFormReason(PlaybookForm.reasons.through):  # type: ignore[name-defined, misc]  # made by Django for the relation
    """Which reasons start which form; here for its trigger alone."""

    class Meta:
        proxy = True
        triggers: ClassVar = [
            _never_changes("reasons_of_a_published_playbook_never_change", parent=_OF_A_FORM, row="form.id", key="playbookform_id")
        ]
