"""Everything that happened, and with whom; import models from here."""

from conversations.models.conversation import Conversation, ConversationLink
from conversations.models.customer import Customer, CustomerLink, MatchCandidate
from conversations.models.entry import Entry
from conversations.models.entry_point import EntryPoint
from conversations.models.handoff import Handoff
from conversations.models.identifier import Identifier, SharedIdentifier
from conversations.models.interaction import Interaction, InteractionLink, JoinCode
from conversations.models.knowledge import KnowledgeArticle, KnowledgePassage
from conversations.models.playbook import Playbook, PlaybookForm, PlaybookFormField, PlaybookFormReason
from conversations.models.proof import KnowledgeCheck, OneTimeCode, Proof
from conversations.models.saved_reply import SavedReply
from conversations.models.schedule import Booking, PriceListItem, Technician, TechnicianShift
from conversations.models.transport import ChatSessionRecord, WebhookRecord

__all__ = [
    "Booking",
    "ChatSessionRecord",
    "Conversation",
    "ConversationLink",
    "Customer",
    "CustomerLink",
    "Entry",
    "EntryPoint",
    "Handoff",
    "Identifier",
    "Interaction",
    "InteractionLink",
    "JoinCode",
    "KnowledgeArticle",
    "KnowledgeCheck",
    "KnowledgePassage",
    "MatchCandidate",
    "OneTimeCode",
    "Playbook",
    "PlaybookForm",
    "PlaybookFormField",
    "PlaybookFormReason",
    "PriceListItem",
    "Proof",
    "SavedReply",
    "SharedIdentifier",
    "Technician",
    "TechnicianShift",
    "WebhookRecord",
]
