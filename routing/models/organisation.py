"""Who can take work: teams, skills, routing profiles and the people themselves."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from routing.models.history import audited
from routing.models.policy import CODE_VALIDATOR, Queue

SIP_ADDRESS = r"^sips?:[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?(;[a-z]+=[a-z]+)*$"
SIP_VALIDATOR = RegexValidator(SIP_ADDRESS, _("Write a SIP address such as sip:ann@pbx.example.com."))


def _is_a_list(field: str) -> models.Q:
    kind_of_value = models.Func(models.F(field), function="jsonb_typeof", output_field=models.CharField())
    return models.Q(Exact(kind_of_value, models.Value("array")))


def _is_among(text: str, listed: str) -> models.Q:
    return models.Q(models.Func(models.F(listed), models.F(text), function="jsonb_exists", output_field=models.BooleanField()))


@audited()
class Team(models.Model):
    """People who answer to one lead."""

    name = models.CharField(max_length=80, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@audited()
class Skill(models.Model):
    """Something an agent may be good at, with a proficiency from 1 to 5 per agent."""

    code = models.CharField(max_length=40, unique=True, validators=[CODE_VALIDATOR])
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@audited()
class RoutingProfile(models.Model):
    """Which queues its agents serve, in what order, and how much of which kind of work."""

    name = models.CharField(max_length=80, unique=True)
    queues = models.ManyToManyField(Queue, through="RoutingProfileQueue", related_name="profiles")
    missed_offers_before_away = models.PositiveSmallIntegerField(
        default=1, help_text=_("After so many offers in a row that they did not answer, agents are set away.")
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(missed_offers_before_away__gte=1), name="routing_profile_lets_at_least_one_offer_be_missed"
            ),
        ]

    def __str__(self) -> str:
        return self.name


@audited()
class RoutingProfileQueue(models.Model):
    """One queue that a profile serves; a delay makes its agents the second line."""

    profile = models.ForeignKey(RoutingProfile, models.CASCADE, related_name="queue_rows")
    queue = models.ForeignKey(Queue, models.CASCADE, related_name="profile_rows")
    order = models.PositiveSmallIntegerField(default=1)
    delay_seconds = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "queue"], name="routing_profile_names_a_queue_once"),
        ]

    def __str__(self) -> str:
        return f"{self.profile} · {self.queue}"


@audited()
class RoutingProfileWork(models.Model):
    """How heavy one kind of work is for a profile, and how many of it at once.

    A kind without a row is not taken at all: a missing limit never means unlimited.
    """

    profile = models.ForeignKey(RoutingProfile, models.CASCADE, related_name="work_rows")
    kind = models.CharField(max_length=40, validators=[CODE_VALIDATOR], help_text=_("The kind of work, as the product names it."))
    weight = models.PositiveSmallIntegerField(help_text=_("How much of an agent's capacity one piece takes."))
    max_at_once = models.PositiveSmallIntegerField(default=1)
    wrap_up_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("How long the writing-up may take; then the work ends by itself. Empty: as long as it takes.")
    )
    interrupts = models.JSONField(
        default=list, blank=True, help_text=_("Kinds of work, sorted, that agents lay aside for this kind when nobody is free.")
    )

    class Meta:
        ordering = ["kind"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "kind"], name="routing_profile_weighs_a_kind_of_work_once"),
            models.CheckConstraint(condition=_is_a_list("interrupts"), name="routing_profile_work_names_what_it_interrupts"),
            models.CheckConstraint(condition=~_is_among("kind", "interrupts"), name="routing_profile_work_does_not_interrupt_itself"),
            models.CheckConstraint(
                condition=models.Q(weight__gte=1, max_at_once__gte=1),
                name="routing_profile_work_has_weight_and_limit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.profile} · {self.kind}"


@audited(without=["load", "laid_aside"])
class AgentProfile(models.Model):
    """A person who takes work. `load` and `laid_aside` are written by reservations only, under the row's lock."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="agent_profile")
    display_name = models.CharField(max_length=80, help_text=_("The name customers see."))
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="agents")
    routing_profile = models.ForeignKey(RoutingProfile, models.PROTECT, related_name="agents")
    phone_number = models.CharField(max_length=16, blank=True, help_text=_("Where live calls are connected, such as +441632960111."))
    sip_address = models.CharField(
        max_length=200,
        blank=True,
        validators=[SIP_VALIDATOR],
        help_text=_("A SIP phone that is rung instead of the number, such as sip:ann@pbx.example.com."),
    )
    capacity = models.PositiveSmallIntegerField(default=6)
    load = models.PositiveSmallIntegerField(default=0, editable=False)
    laid_aside = models.PositiveSmallIntegerField(default=0, editable=False, help_text=_("Weight of what waits for other work."))
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["display_name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(load__gte=0) & models.Q(load__lte=models.F("capacity")),
                name="agent_load_stays_within_capacity",
            ),
            models.CheckConstraint(
                condition=models.Q(phone_number="") | models.Q(phone_number__regex=r"^\+[1-9][0-9]{6,14}$"),
                name="agent_phone_number_is_e164",
            ),
            models.CheckConstraint(
                condition=models.Q(sip_address="") | models.Q(sip_address__regex=SIP_ADDRESS), name="agent_sip_address_is_one"
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="capacity_holds_what_comes_back",
                operation=pgtrigger.Update,
                when=pgtrigger.After,
                condition=pgtrigger.Q(old__capacity__gt=pgtrigger.F("new__capacity")),
                func="""
                    IF NEW.capacity < (
                        SELECT COALESCE(SUM(held.weight), 0) FROM routing_reservation held
                         WHERE held.agent_id = NEW.id AND held.state IN ('pending', 'accepted', 'wrapping')
                           AND NOT EXISTS (SELECT FROM routing_interruption own WHERE own.by_id = held.id AND own.ended_at IS NULL)
                    ) THEN
                        RAISE EXCEPTION 'agent % laid work aside that would not fit any more', NEW.id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NULL;
                """,
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def phone(self) -> str:
        """What is rung to reach them: their SIP phone, else their number; empty without either."""
        return self.sip_address or self.phone_number


@audited()
class AgentSkill(models.Model):
    """How good an agent is at something."""

    agent = models.ForeignKey(AgentProfile, models.CASCADE, related_name="skill_rows")
    skill = models.ForeignKey(Skill, models.CASCADE, related_name="agent_rows")
    proficiency = models.PositiveSmallIntegerField(default=3)

    class Meta:
        ordering = ["-proficiency"]
        constraints = [
            models.UniqueConstraint(fields=["agent", "skill"], name="agent_has_a_skill_once"),
            models.CheckConstraint(
                condition=models.Q(proficiency__gte=1, proficiency__lte=5),
                name="agent_skill_proficiency_is_one_to_five",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent} · {self.skill} {self.proficiency}"
