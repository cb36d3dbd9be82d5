"""Everything that routing remembers; import models from here."""

from routing.models.configuration import Configuration
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
    RoutingStep,
    ServiceHours,
    ServiceHoursException,
    ServiceLevel,
    Territory,
    TerritoryPostcode,
)
from routing.models.presence import AwayReason, Presence
from routing.models.rules import ChannelException, DeclaredFact, DeclaredFactValue, Rule, RuleSet, RuleSetCase
from routing.models.work import Interruption, Reservation, WorkItem

__all__ = [
    "AgentProfile",
    "AgentSkill",
    "AwayReason",
    "ChannelException",
    "Configuration",
    "Decision",
    "DeclaredFact",
    "DeclaredFactValue",
    "DispositionCode",
    "Interruption",
    "Presence",
    "Queue",
    "ReasonCode",
    "ReasonPhrase",
    "Reservation",
    "RoutingProfile",
    "RoutingProfileQueue",
    "RoutingProfileWork",
    "RoutingStep",
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
