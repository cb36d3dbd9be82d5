"""Everything that happened, and with whom; import models from here."""

from conversations.models.action_item import ActionItem
from conversations.models.call_leg import CallLeg
from conversations.models.call_recording import CallRecording
from conversations.models.call_seat import CallSeat
from conversations.models.calling_rules import CallingCap, CallingHoliday, CallingHours, CallingPolicy, CallingRegion
from conversations.models.campaign import Audience, Campaign, CampaignContact
from conversations.models.chat_link import ChatLink
from conversations.models.consent import Consent, ContactPreference, Suppression
from conversations.models.conversation import Conversation, ConversationLink
from conversations.models.customer import Customer, CustomerLink, MatchCandidate
from conversations.models.dial_attempt import DialAttempt, SubjectTalk
from conversations.models.entry import Entry
from conversations.models.entry_point import EntryPoint
from conversations.models.erasure import ConnectorRequest, DataExport, ErasedIdentifier, ErasureRequest, ErasureStep
from conversations.models.field_conflict import FieldConflict
from conversations.models.handoff import Handoff
from conversations.models.host_site import HostSiteKey, HostSiteToken
from conversations.models.identifier import Identifier, SharedIdentifier
from conversations.models.interaction import Interaction, InteractionLink, JoinCode
from conversations.models.knowledge import KnowledgeArticle, KnowledgePassage, KnowledgeQuestion, KnowledgeVersion
from conversations.models.outside_number import OutsideNumber
from conversations.models.playbook import Playbook, PlaybookForm, PlaybookFormField, PlaybookFormReason, PlaybookOpening
from conversations.models.proof import KnowledgeCheck, OneTimeCode, Proof
from conversations.models.qualification import Qualification
from conversations.models.retention import LegalHold, RetentionRule, RetentionRun
from conversations.models.roll_out import AssistantSwitch, DraftReview
from conversations.models.sales import Invoice, PaymentPromise, SalesAccount, SalesOrder, Ticket
from conversations.models.saved_reply import SavedReply
from conversations.models.schedule import Booking, PriceListItem, Technician, TechnicianShift
from conversations.models.sent_link import SentLink
from conversations.models.sent_text import SentText
from conversations.models.transport import ChatSessionRecord, WebhookRecord
from conversations.models.turn_trace import TurnTrace
from conversations.models.unanswered import UnansweredQuestion
from conversations.models.visitor import RetiredVisitor

__all__ = [
    "ActionItem",
    "AssistantSwitch",
    "Audience",
    "Booking",
    "CallLeg",
    "CallRecording",
    "CallSeat",
    "CallingCap",
    "CallingHoliday",
    "CallingHours",
    "CallingPolicy",
    "CallingRegion",
    "Campaign",
    "CampaignContact",
    "ChatLink",
    "ChatSessionRecord",
    "ConnectorRequest",
    "Consent",
    "ContactPreference",
    "Conversation",
    "ConversationLink",
    "Customer",
    "CustomerLink",
    "DataExport",
    "DialAttempt",
    "DraftReview",
    "Entry",
    "EntryPoint",
    "ErasedIdentifier",
    "ErasureRequest",
    "ErasureStep",
    "FieldConflict",
    "Handoff",
    "HostSiteKey",
    "HostSiteToken",
    "Identifier",
    "Interaction",
    "InteractionLink",
    "Invoice",
    "JoinCode",
    "KnowledgeArticle",
    "KnowledgeCheck",
    "KnowledgePassage",
    "KnowledgeQuestion",
    "KnowledgeVersion",
    "LegalHold",
    "MatchCandidate",
    "OneTimeCode",
    "OutsideNumber",
    "PaymentPromise",
    "Playbook",
    "PlaybookForm",
    "PlaybookFormField",
    "PlaybookFormReason",
    "PlaybookOpening",
    "PriceListItem",
    "Proof",
    "Qualification",
    "RetentionRule",
    "RetentionRun",
    "RetiredVisitor",
    "SalesAccount",
    "SalesOrder",
    "SavedReply",
    "SentLink",
    "SentText",
    "SharedIdentifier",
    "SubjectTalk",
    "Suppression",
    "Technician",
    "TechnicianShift",
    "Ticket",
    "TurnTrace",
    "UnansweredQuestion",
    "WebhookRecord",
]
