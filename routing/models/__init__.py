"""Everything that routing remembers; import models from here."""

from routing.models.decision import Decision
from routing.models.organisation import (
    AgentProfile,
    AgentSkill,
    RoutingProfile,
    RoutingProfileQueue,
    RoutingProfileWork,
    Skill,
    Team,
)
from routing.models.policy import (
    DispositionCode,
    Queue,
    ReasonCode,
    ReasonPhrase,
    ServiceHours,
    ServiceHoursException,
    ServiceLevel,
    Territory,
    TerritoryPostcode,
)
from routing.models.presence import Presence
from routing.models.rules import ChannelException, Rule, RuleSet, RuleSetCase
from routing.models.work import Reservation, WorkItem

__all__ = [
    "AgentProfile",
    "AgentSkill",
    "ChannelException",
    "Decision",
    "DispositionCode",
    "Presence",
    "Queue",
    "ReasonCode",
    "ReasonPhrase",
    "Reservation",
    "RoutingProfile",
    "RoutingProfileQueue",
    "RoutingProfileWork",
    "Rule",
    "RuleSet",
    "RuleSetCase",
    "ServiceHours",
    "ServiceHoursException",
    "ServiceLevel",
    "Skill",
    "Team",
    "Territory",
    "TerritoryPostcode",
    "WorkItem",
]
