"""What a text says was done, and what must have happened for that to be true. Plain functions: no database.

Nothing that happens in a conversation is said to have happened before it has: a sentence in which a brain claims a deed leaves
only when the history of the conversation holds it, or a tool has just done it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from conversations.assistant.brain import ToolResult
from conversations.assistant.tools import (
    add_action_item,
    book,
    cancel,
    change_callback,
    correct,
    find_invoices,
    find_orders,
    find_visits,
    hand_off,
    open_ticket,
    promise_to_pay,
    reschedule,
    schedule_callback,
    send_chat_link,
    send_link,
    set_consent,
    show_account,
    update_fact,
    verify_identity,
)

SENTENCE_END: Final = re.compile(r"(?<=[.?!])\s+")
UNCERTAIN: Final = re.compile(
    r"\b(?:once|when|if|before|until|unless|after|as soon as|whether|would|cuando|si|antes|hasta|despu[eé]s)\b", re.IGNORECASE
)
"""Words that make a claim none, wherever in the sentence they stand before it."""
NOT_DONE: Final = re.compile(r"\b(?:not|nothing|no|never|none|cannot|nada|nunca|ning[uú]n[ao]?)\b|n't\b", re.IGNORECASE)
"""The same for words in its own clause: “don't worry, I have booked it” claims it all the same."""
IN_MARKS: Final = re.compile(r"[“«\"]([^“”«»\"]+)[”»\"]")
CLAUSE_END: Final = re.compile(r"[,;:–—]\s")
BOOKED, CHANGED, CANCELLED = "booking.made", "booking.changed", "booking.cancelled"
PROVEN, CODE_SENT = "identity.proven", "identity.code_sent"
TICKET, CALL_BACK, HANDED_OVER, TO_DO = "ticket.opened", "callback.requested", "handoff.requested", "action.added"
CALL_CHANGED, CALLED_OFF = "callback.changed", "callback.cancelled"
PROMISED, RECORD, LINK = "payment.promised", "record.changed", "link.sent"
CONSENTS: Final = ("consent.given", "consent.refused", "consent.revoked")

LEAVES: Final[Mapping[str, str]] = {
    book.TOOL.name: BOOKED,
    reschedule.TOOL.name: CHANGED,
    correct.TOOL.name: CHANGED,
    cancel.TOOL.name: CANCELLED,
    promise_to_pay.TOOL.name: PROMISED,
    open_ticket.TOOL.name: TICKET,
    schedule_callback.TOOL.name: CALL_BACK,
    change_callback.TOOL.name: CALL_CHANGED,
    send_link.TOOL.name: LINK,
    send_chat_link.TOOL.name: LINK,
    update_fact.TOOL.name: RECORD,
    add_action_item.TOOL.name: TO_DO,
    hand_off.TOOL.name: HANDED_OVER,
    set_consent.TOOL.name: CONSENTS[0],
}
"""What the history holds when a tool has done something."""
DEEDS: Final = frozenset({*LEAVES.values(), *CONSENTS, PROVEN, CODE_SENT, CALLED_OFF})
"""Every kind of entry by which something counts as done."""


def deeds_of(result: ToolResult) -> set[str]:
    """What a tool that worked has done, as kinds of entries; of one that only looked something up, its name."""
    if result.tool == verify_identity.TOOL.name:
        return {PROVEN} if result.result.get("right") else {CODE_SENT} if result.result.get("to") else set()
    return {LEAVES.get(result.tool, result.tool)}


@dataclass(frozen=True, slots=True)
class Claim:
    """Casefolded words that say something was done, and what makes them true; nothing does when `true_by` is empty."""

    words: re.Pattern[str]
    true_by: frozenset[str]


def _claim(*patterns: str, true_by: set[str]) -> Claim:
    # Every draft of a reply is searched for all of them, and a pattern that need not ignore case is found twice as fast.
    return Claim(re.compile("|".join(patterns)), frozenset(true_by))


# Who speaks: “I have just sent”, “I sent”, “we've sent”; “he enviado”, “ya hemos enviado”, “te he enviado”.
WE: Final = r"\b(?:i(?:'ve| have|)|we(?:'ve| have))(?: just| now| already| also)* "
HEMOS: Final = r"\b(?:he|hemos)(?: ya)? "
# What is so: “is booked”, “has now been sent”, “visit's booked”; “está reservada”, “ha sido enviado”, “queda anotado”.
IS: Final = r"(?:'s|\b(?:is|are|was|were|(?:has|have)(?: just| now| already)? been))(?: just| now| already| all)* "
ESTA: Final = r"\b(?:est[aá]n?|ha sido|han sido|quedan?)(?: ya)? "
FEW: Final = r"(?:[\w'-]+ ){0,4}?"
"""A few words in between."""
OF_A_CALL: Final = {CALL_CHANGED, CALLED_OFF}
TOLD_OF: Final = {find_visits.TOOL.name, show_account.TOOL.name}
DETAIL: Final = r"(?:e-?mail|phone|number|address|postcode|name|details?|record|account)"
DETALLE: Final = r"(?:correo|email|tel[eé]fono|n[uú]mero|direcci[oó]n|c[oó]digo postal|nombre|datos?|ficha|cuenta)"
TICKET_WORD: Final = r"(?:ticket|case|complaint|incident)"
TIQUE: Final = r"(?:ticket|tique|incidencia|caso|queja|reclamaci[oó]n|parte)"

CLAIMS: Final[tuple[Claim, ...]] = (
    _claim(rf"{WE}(?:re)?booked\b(?! {FEW}call)", rf"{HEMOS}reservado\b(?! {FEW}llamada)", true_by={BOOKED, CHANGED}),
    _claim(WE + r"cancell?ed\b", HEMOS + r"(?:cancelado|anulado)\b", true_by={CANCELLED, *OF_A_CALL}),
    _claim(
        WE + r"(?:moved|rescheduled|postponed)\b",
        HEMOS + r"(?:movido|aplazado|reprogramado|pospuesto)\b",
        true_by={BOOKED, CHANGED, *OF_A_CALL},
    ),
    _claim(
        rf"{WE}(?:changed|corrected|updated) {FEW}(?:visit|booking|appointment)\b",
        rf"{HEMOS}(?:cambiado|corregido|modificado) {FEW}(?:visita|cita|reserva)\b",
        true_by={BOOKED, CHANGED},
    ),
    _claim(
        IS + r"(?:booked|cancell?ed|rescheduled)\b",
        ESTA + r"(?:reservad|cancelad|anulad|movid|aplazad|reprogramad)[ao]s?\b",
        true_by={BOOKED, CHANGED, CANCELLED, *OF_A_CALL, *TOLD_OF, find_orders.TOOL.name},
    ),
    _claim(ESTA + r"cambiad[ao]s?\b", true_by={BOOKED, CHANGED, RECORD, *TOLD_OF}),
    _claim(
        rf"{WE}(?:changed|updated|corrected|amended|replaced) {FEW}{DETAIL}\b",
        rf"{HEMOS}(?:cambiado|actualizado|corregido|modificado) {FEW}{DETALLE}\b",
        rf"\b{DETAIL} {FEW}{IS}(?:changed|updated|corrected|amended)\b",
        rf"\b{DETALLE} {FEW}{ESTA}(?:cambiad|actualizad|corregid|modificad)[ao]s?\b",
        true_by={RECORD, CHANGED},
    ),
    _claim(
        rf"{WE}(?:noted|recorded|registered|taken down) {FEW}(?:promise|payment)\b",
        rf"\bpromise(?: to pay)? {FEW}{IS}(?:noted|recorded|registered)\b",
        rf"{HEMOS}(?:anotado|registrado|apuntado) {FEW}(?:promesa|compromiso|pago)\b",
        rf"\b(?:promesa|compromiso)(?: de pago)? {FEW}{ESTA}(?:anotad|registrad|apuntad)[ao]\b",
        true_by={PROMISED},
    ),
    _claim(
        rf"{WE}(?:opened|raised|created|logged|filed) {FEW}{TICKET_WORD}\b",
        rf"\b{TICKET_WORD} {FEW}{IS}(?:open|opened|raised|created|logged|filed)\b",
        rf"{HEMOS}(?:abierto|creado|registrado|puesto) {FEW}{TIQUE}\b",
        rf"\b{TIQUE} {FEW}{ESTA}(?:abiert|cread|registrad)[ao]\b",
        true_by={TICKET},
    ),
    _claim(
        rf"{WE}(?:scheduled|arranged|booked|set up) {FEW}call(?:[ -]?back)?\b",
        rf"{WE}noted {FEW}call(?:[ -]?back| you back)\b",
        rf"\bcall[ -]?back {FEW}{IS}(?:scheduled|arranged|booked|noted|set up)\b",
        rf"{HEMOS}(?:programado|agendado|concertado|anotado|reservado) {FEW}llamada\b",
        rf"\bllamada {FEW}{ESTA}(?:programad|agendad|concertad|anotad|reservad)a\b",
        true_by={CALL_BACK, CALL_CHANGED},
    ),
    _claim(
        rf"{WE}(?:sent|texted|e-?mailed) {FEW}link\b",
        rf"\blink {FEW}{IS}(?:sent|texted|e-?mailed|on its way)\b",
        rf"{HEMOS}(?:enviado|mandado) {FEW}enlace\b",
        rf"\benlace {FEW}{ESTA}(?:enviado|mandado|en camino)\b",
        true_by={LINK},
    ),
    _claim(
        rf"{WE}(?:sent|texted|e-?mailed) {FEW}code\b",
        rf"{HEMOS}(?:enviado|mandado) {FEW}c[oó]digo\b",
        true_by={CODE_SENT},
    ),
    _claim(
        WE + r"(?:texted|e-?mailed) you\b",
        rf"{WE}sent {FEW}(?:text|sms|e-?mail|message)\b",
        rf"{HEMOS}(?:enviado|mandado) {FEW}(?:sms|correo|mensaje)\b",
        true_by={LINK, CODE_SENT},
    ),
    _claim(
        rf"{WE}(?:verified|confirmed|checked) (?:your identity|who you are|that it is you|that it's you)\b",
        r"\byou(?:'re| are)(?: now| already)? verified\b",
        rf"\bidentity {FEW}{IS}(?:verified|confirmed|proven)\b",
        rf"{HEMOS}(?:verificado|comprobado|confirmado) (?:su|tu) identidad\b",
        rf"\bidentidad {ESTA}(?:verificada|comprobada|confirmada)\b",
        r"\best[aá]s?(?: usted)?(?: ya)? verificad[ao]\b",
        true_by={PROVEN},
    ),
    _claim(
        rf"{WE}(?:unsubscribed you|(?:taken|removed) you (?:off|from))\b",
        r"\byou(?:'re| are|'ve been| have been)(?: now)? unsubscribed\b",
        HEMOS + r"dado de baja\b",
        true_by=set(CONSENTS),
    ),
    _claim(
        rf"{WE}(?:passed|forwarded|handed|escalated) {FEW}(?:on|over|to)\b",
        rf"{WE}(?:informed|notified|asked|told) (?:a|my|our|the) (?:colleague|team|manager|engineer|office)\b",
        rf"{HEMOS}(?:avisado|informado|pasado|trasladado) {FEW}(?:compa[nñ]er[oa]s?|equipo|colega|responsable)\b",
        true_by={HANDED_OVER, TO_DO, TICKET, CALL_BACK},
    ),
    _claim(
        IS + r"(?:refunded|credited|waived)\b",
        ESTA + r"(?:reembolsad|abonad)[ao]s?\b",
        rf"\b(?:invoice|bill|balance) {FEW}{IS}(?:paid|settled)\b",
        rf"\bfactura {FEW}{ESTA}(?:pagada|liquidada)\b",
        true_by={find_invoices.TOOL.name, find_orders.TOOL.name, show_account.TOOL.name},
    ),
    # Nothing that the AI agent has does any of these.
    _claim(
        WE + r"(?:refunded|credited|ordered|waived|upgraded)\b",
        rf"{WE}(?:taken|processed|charged|collected) {FEW}(?:payment|card|money)\b",
        HEMOS + r"(?:reembolsado|abonado|cobrado|encargado)\b",
        true_by=set(),
    ),
)


def untrue_claim(text: str, happened: frozenset[str], is_published: Callable[[str], bool] = lambda sentence: False) -> str:
    """The first words, casefolded, that claim what has not happened; empty when there are none.

    `happened` are kinds of entries and look-ups. Whole sentences that `is_published` knows from an article tell what the company does,
    and claim nothing.
    """
    for sentence in SENTENCE_END.split(text.replace("’", "'").casefold()):
        # Hardly any sentence claims something, and only of one that does is it looked up where it is from.
        if not any(claim.words.search(sentence) for claim in CLAIMS):
            continue
        if claimed := _claimed(_without_quotations(sentence, is_published), happened):
            return claimed
    return ""


def _claimed(sentence: str, happened: frozenset[str]) -> str:
    for claim in CLAIMS:
        said = claim.words.search(sentence)
        if said and not happened & claim.true_by and not is_denied(sentence[: said.end()]):
            return said[0].strip()
    return ""


def _without_quotations(sentence: str, is_published: Callable[[str], bool]) -> str:
    """What is left of a sentence without the published one that it is, announces after a colon or has in quotation marks."""
    if is_published(sentence):
        return ""
    head, colon, announced = sentence.partition(": ")
    left = head if colon and is_published(announced) else sentence
    return IN_MARKS.sub(lambda found: "" if is_published(found[1]) else found[0], left)


def is_denied(upto: str) -> bool:
    """Whether a sentence, up to the end of a claim in it, says that it is not so, or only under a condition."""
    return UNCERTAIN.search(upto) is not None or NOT_DONE.search(CLAUSE_END.split(upto)[-1]) is not None
