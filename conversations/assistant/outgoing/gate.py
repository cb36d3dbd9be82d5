"""The gate of one turn: what a brain asks of tools and what it wants said pass through it.

What it judges by is read from the record while the brain is thinking; nothing passes before that is there. Drafts are judged as
they are written. What may still become something that must not leave is held back until more has come; when something of the
kind is there, nothing more is shown and the brain is asked no further.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from channels.db import database_sync_to_async
from django.utils.translation import gettext as _

from conversations.assistant.brain import HandOff, QuickReply, Reply, ToolBox, ToolResult, TurnContext
from conversations.assistant.cards import cards_of
from conversations.assistant.handing_over import brains_part
from conversations.assistant.outgoing import checks
from conversations.assistant.outgoing.bounds import bounds_of, done_for
from conversations.assistant.outgoing.checks import Bounds, Refusal, refusal_of
from conversations.assistant.outgoing.claims import HANDED_OVER, SENTENCE_END, deeds_of
from conversations.assistant.outgoing.holding import settled
from conversations.assistant.outgoing.instructions import plain_fact, without_orders
from conversations.assistant.outgoing.sources import Sources, sources_of
from conversations.assistant.preparing import Prepared
from conversations.assistant.tools import TOOLS
from conversations.services import timeline
from conversations.services.redaction import mask
from conversations.services.timeline import NewEntry

MOST_CALLS: Final = 25
LOOK_BACK: Final = 300
"""So many characters that were shown already are judged again with what is new: a claim is none after a word that stands before it in
its sentence. The whole reply is judged once more at its end."""
PIECE: Final = 24
"""After its first words, a draft is shown on by so many characters at least, or at the end of a sentence."""
LONGEST_WITHHELD: Final = 2_000


@dataclass(frozen=True, slots=True)
class Judging:
    """What the words of one turn are judged by: what may be repeated, what may not be said, and what was done."""

    prepared: Prepared
    context: TurnContext
    sources: Sources
    bounds: Bounds
    happened: set[str]


def judging_of(prepared: Prepared) -> Judging:
    """Reads it, in the language of the turn. Two statements."""
    context, lines = _without_orders_in_facts(prepared.context), prepared.lines
    bounds = bounds_of(prepared.conversation, prepared.interaction, lines, context.behaviour, prepared.standing.level)
    return Judging(prepared, context, sources_of(context), bounds, _done_before(prepared, lines))


class Gate:
    """What is known of one turn, and what became of what was to leave. Made on an event loop.

    `judging` is what was read for this turn; without it, or when the turn has another state since, a thread reads the record anew.
    `context` is the turn's, without orders in what is known of the customer, such as a name that is one.
    """

    def __init__(self, prepared: Prepared, judging: Judging | None = None) -> None:
        self._prepared = prepared
        self.context = judging.context if judging and judging.prepared is prepared else _without_orders_in_facts(prepared.context)
        announced = prepared.context.form_state.get("announce")
        self._found = [_announced(announced)] if announced else []
        self._done: list[ToolResult] = []
        self._calls = 0
        self._written = ""
        self._shown = 0
        self.refusal: Refusal | None = None
        if judging and judging.prepared is prepared:
            self._judge_by(judging)
            self._reading: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._reading.set_result(None)
        else:
            self._reading = asyncio.ensure_future(database_sync_to_async(self._read, thread_sensitive=False)())

    async def ready(self) -> None:
        """Waits until what it judges by is read. Raises what the database does."""
        await asyncio.shield(self._reading)

    async def close(self) -> None:
        """Waits for the thread that reads for it, which cannot be stopped."""
        with suppress(Exception):
            await self.ready()

    def _read(self) -> None:
        self._judge_by(judging_of(self._prepared))

    def _judge_by(self, judging: Judging) -> None:
        self._sources, self._bounds, self._happened = judging.sources, judging.bounds, judging.happened

    def watch(self, tools: ToolBox) -> ToolBox:
        """The same tools, so many calls a turn, whose answers come without orders and may be repeated from then on."""
        return _Watched(self, tools)

    async def call(self, tools: ToolBox, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """One call of a tool."""
        self._calls += 1
        if self._calls > MOST_CALLS:
            return ToolResult(name, error="too_many_calls", sentence=_("That was tried too often in one turn."))
        await self.ready()
        result = await tools.call(name, arguments)
        result = replace(result, result=without_orders(result.result), sentence=without_orders(result.sentence))
        self._sources.add_result(result)
        if result.worked:
            self._happened |= deeds_of(result)
            self._found.append(result)
            if name in TOOLS and TOOLS[name].changes:
                self._done.append(result)
        return result

    def write(self, piece: str) -> None:
        """The next piece of a reply that is being written."""
        self._written += piece

    async def draft(self) -> str | None:
        """The reply so far as it may be shown; None when nothing is new."""
        await self.ready()
        upto = settled(self._written, self._bounds)
        is_sentence = self._written[:upto].rstrip().endswith((".", "?", "!"))
        if self.refusal or upto <= self._shown or (self._shown and not is_sentence and upto < self._shown + PIECE):
            return None
        since = max(0, self._shown - LOOK_BACK)
        self.refusal = self._judge(self._written[since:upto], is_part=True)
        if self.refusal:
            return None
        self._shown = upto
        return self._written[:upto]

    def start_again(self) -> None:
        """What was written so far does not stand; more is coming."""
        self._written, self._shown = "", 0

    @property
    def has_done_something(self) -> bool:
        """Whether a tool has changed something in this turn, which has to be told."""
        return bool(self._done)

    @property
    def found(self) -> tuple[ToolResult, ...]:
        """What the tools that worked have answered."""
        return tuple(self._found)

    def begin_anew(self) -> None:
        """Another brain answers in place of one whose reply was refused."""
        self.refusal = None
        self.start_again()

    async def let_through(self, said: Reply | HandOff | None) -> Reply | HandOff:
        """What ends the turn as the brain wants it, or what is said instead, with a note for staff. None: a draft was refused."""
        await self.ready()
        if isinstance(said, HandOff):
            self._happened.add(HANDED_OVER)
        if said is not None and not self.refusal:
            self.refusal = self._judge(_everything(said))
        if said is not None and not self.refusal:
            return self._with_cards(_cut_short(said, checks.LONGEST_SPOKEN if self._prepared.context.spoken else checks.LONGEST_WRITTEN))
        if self.refusal:
            note = database_sync_to_async(self._note, thread_sensitive=False)
            await note(self.refusal, _everything(said) if said else self._written)
        if isinstance(said, HandOff):
            return replace(said, message="", form_state=self._place())
        return self._instead()

    def _with_cards(self, said: Reply | HandOff) -> Reply | HandOff:
        """A reply with the cards that may leave; one that may not is left out, since the words tell it without."""
        if isinstance(said, HandOff):
            return said
        made = cards_of(said, self._found, self.context)
        return replace(said, cards=tuple(card for card in made if not self._judge("\n".join(card.texts()))))

    def _judge(self, text: str, *, is_part: bool = False) -> Refusal | None:
        return refusal_of(text, self._bounds, self._sources, self._happened, is_part=is_part)

    def _instead(self) -> Reply:
        """What was done is told in the tool's own words; otherwise a person is offered."""
        if self._done:
            told = [str(each.result.get("told") or each.sentence) for each in self._done]
            return Reply(" ".join(dict.fromkeys(told)), form_state=self._place())
        body = _("I am sorry, I cannot answer that here. Shall I ask a colleague to help you?")
        choices = tuple(QuickReply(label, label) for label in (_("Yes"), _("No")))
        return Reply(body, quick_replies=choices, form_state={**self._place(), "offer": {"kind": "person"}}, failed=True, held_back=True)

    def _place(self) -> dict[str, Any]:
        return brains_part(self._prepared.state)

    def _note(self, refusal: Refusal, text: str) -> None:
        timeline.append(
            self._prepared.conversation.pk,
            NewEntry(
                kind="reply.refused",
                actor_kind="system",
                audience="staff",
                body=why(refusal),
                interaction=self._prepared.interaction,
                data={
                    "reason": refusal.reason,
                    "about": refusal.about,
                    "withheld": mask(text)[:LONGEST_WITHHELD],
                    "asked": self._prepared.claim.wanted_seq,
                },
            ),
        )


class _Watched:
    def __init__(self, gate: Gate, tools: ToolBox) -> None:
        self._gate, self._tools = gate, tools

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """See `brain.ToolBox`."""
        return await self._gate.call(self._tools, name, arguments)


def why(refusal: Refusal) -> str:
    """The reason as staff read it."""
    sentences = {
        "secret": _("A reply was held back: it held a secret mark of the AI agent's instructions."),
        "own_instructions": _("A reply was held back: it told of the AI agent's own instructions or tools."),
        "private": _("A reply was held back: it told something of the record that this party has not shown to know (%(about)s)."),
        "markup": _("A reply was held back: it held markup."),
        "link": _("A reply was held back: it led to a page that is not ours (%(about)s)."),
        "card": _("A reply was held back: it held a card number or security code."),
        "invented": _("A reply was held back: nothing that was said or looked up holds what it named (%(about)s)."),
        "promise": _("A reply was held back: it told of something that was not done (%(about)s)."),
    }
    return sentences[refusal.reason] % {"about": refusal.about} if refusal.about else sentences[refusal.reason].replace(" (%(about)s)", "")


def _without_orders_in_facts(context: TurnContext) -> TurnContext:
    return replace(context, facts={name: replace(fact, value=plain_fact(name, fact.value)) for name, fact in context.facts.items()})


def _done_before(prepared: Prepared, lines: Sequence[int]) -> set[str]:
    """What was done for the party in the conversation, on its own lines or, when it is the customer, on any; what it has proven."""
    found = done_for(prepared.conversation, lines, prepared.standing.level)
    announced = prepared.context.form_state.get("announce")
    if announced and not announced.get("error"):
        found |= deeds_of(_announced(announced))
    return found


def _announced(told: Mapping[str, Any]) -> ToolResult:
    """What an earlier worker began and this turn has to tell."""
    result = told.get("result") or {}
    return ToolResult(str(told["tool"]), result, str(told.get("error", "")), str(told.get("sentence", "")))


def _everything(said: Reply | HandOff) -> str:
    """All that a customer would see or hear, as one text."""
    if isinstance(said, HandOff):
        return said.message
    choices = [part for each in said.quick_replies for part in (each.label, each.value, each.call)]
    sources = [part for each in said.sources for part in (each.title, each.url)]
    return "\n".join(part for part in [said.body, *choices, *sources, said.asks.label if said.asks else ""] if part)


def _cut_short(said: Reply | HandOff, longest: int) -> Reply | HandOff:
    """A body that is longer than anybody reads or hears, cut after a sentence."""
    if isinstance(said, HandOff) or len(said.body) <= longest:
        return said
    head = said.body[:longest]
    ends = [match.start() for match in SENTENCE_END.finditer(head)]
    return replace(said, body=head[: ends[-1]] if ends else f"{head.rpartition(' ')[0] or head}…")
