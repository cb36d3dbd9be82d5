"""What happens after a customer speaks, once per turn: claim, understand, decide, answer or hand over, append.

Any process may run a turn. It is claimed by a lease in the conversation's row; what it says is appended under the fence
it began with. A person who takes over, or a customer who says more, makes it void: the reply is dropped, and the turn is
taken anew or not at all. Turns are waiting on a network, so they run as tasks of the web process; `sweep` finishes
those whose process died.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.assistant import beginning, finishing, handing_over, listening, pacing, tracing
from conversations.assistant.beginning import Begun, awaits_number
from conversations.assistant.brain import Brain, HandOff, Reply
from conversations.assistant.finishing import Ending
from conversations.assistant.model.brain import ModelBrain
from conversations.assistant.model.falling_back import FallingBack
from conversations.assistant.outgoing.gate import Judging
from conversations.assistant.preparing import Prepared, decide_again
from conversations.assistant.recording import TurnRecord
from conversations.assistant.rules import RulesBrain
from conversations.assistant.toolbox import TurnTools
from conversations.assistant.tools import set_consent
from conversations.models import EntryPoint
from conversations.selectors import history
from conversations.selectors.roll_out import stop_in_force
from conversations.services import async_connections, turns
from conversations.services.roll_out import AssistantStopped
from conversations.services.turns import Claim, TurnLost, TurnOvertaken
from routing.models import Decision

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

MOST_ROUNDS: Final = 20
MOST_ATTEMPTS: Final = 3
RETRY_IN: Final = timedelta(seconds=2)
LONGEST_RETRY: Final = timedelta(minutes=1)
UNCLAIMED_FOR: Final = timedelta(seconds=5)
SHARE_OF_LEASE: Final = 0.8


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """What became of a turn: `answered`, `handed_over`, `dropped`, `failed` or `nothing` (none was due).

    `seq` is that of the reply's entry, 0 without one; `is_last` says that no other turn was due when this one ended.
    """

    what: str
    seq: int = 0
    is_last: bool = False


NOTHING = TurnOutcome("nothing")
DROPPED = TurnOutcome("dropped")
FAILED = TurnOutcome("failed")


async def take(conversation_id: int) -> TurnOutcome:
    """Runs the conversation's turn if one is due and free, and those that come due while it runs.

    Returns what became of the last one. Never raises for what goes wrong inside a turn: that is logged, tried again by
    the sweep, and after three attempts a person is asked to take over.
    """
    outcome = NOTHING
    for _round in range(MOST_ROUNDS):
        lease = timedelta(seconds=settings.TURN_LEASE_SECONDS)
        begun = await _in_thread(beginning.begin)(conversation_id, lease=lease)
        if begun is None:
            return outcome
        outcome = await _run(begun)
        if outcome is DROPPED:
            outcome = await _take_where_it_went(conversation_id)
        elif outcome.is_last:
            return outcome
    return outcome


async def _take_where_it_went(conversation_id: int) -> TurnOutcome:
    """A turn that was dropped because its line goes on in another conversation, as after a proof, is taken there at once."""
    outcome = DROPPED
    for other in await _in_thread(history.went_on_in)(conversation_id):
        taken = await take(other)
        outcome = taken if taken is not NOTHING else outcome
    return outcome


_running: dict[int, asyncio.Task[TurnOutcome]] = {}
_asked_again: set[int] = set()


def schedule(conversation_id: int) -> asyncio.Task[TurnOutcome]:
    """Has the conversation's turn run in the background of this event loop, once at a time; returns the task.

    Asking again while it runs makes sure that what was said meanwhile is answered by the same task.
    """
    running = _running.get(conversation_id)
    if running is not None and not running.done() and running.get_loop() is asyncio.get_running_loop():
        _asked_again.add(conversation_id)
        return running
    task = asyncio.get_running_loop().create_task(_take_until_quiet(conversation_id), name=f"turn {conversation_id}")
    _running[conversation_id] = task
    task.add_done_callback(functools.partial(_forget, conversation_id))
    return task


async def wait_for(conversation_id: int, seconds: float) -> bool:
    """Returns when this process has no turn of the conversation under way, at once when there is none, and after `seconds` at the latest.

    True: a turn that ran here has ended with nothing left to answer of what was said before this was asked. Otherwise whether the
    customer is owed an answer is for the record to say: the turn may run in another process.
    """
    running = _running.get(conversation_id)
    if running is None or seconds <= 0 or running.get_loop() is not asyncio.get_running_loop():
        return False
    await asyncio.wait({running}, timeout=seconds)
    return running.done() and not running.cancelled() and running.exception() is None and running.result().is_last


async def settle(seconds: float) -> bool:
    """Waits up to `seconds` for the turns that run on this event loop, and says whether all are over.

    For a process that is about to end: what is over by then need not be finished by another one's sweep.
    """
    loop = asyncio.get_running_loop()
    running = [task for task in _running.values() if not task.done() and task.get_loop() is loop]
    if not running:
        return True
    _over, left = await asyncio.wait(running, timeout=seconds)
    return not left


def give_up(conversation_id: int) -> bool:
    """Has a person asked in place of an answer that takes longer than the customer can be let wait; says whether it did.

    Whoever works on the turn has lost it. A tool that is changing something is not disturbed: what it did has to be told. Blocks.
    """
    lease = timedelta(seconds=settings.TURN_LEASE_SECONDS)
    claim = turns.take_away(conversation_id, worker=beginning.worker_name(), lease=lease)
    if claim is None:
        return False
    logger.warning("turn_given_up", extra={"conversation": conversation_id})
    try:
        finishing.give_up(claim)
    except TurnLost:
        return False
    return True


def sweep() -> int:
    """Finishes turns that nobody works on; returns how many it found. For a worker: runs its own event loop."""
    found = turns.due(unclaimed_for=UNCLAIMED_FOR)
    for conversation_id in found:
        asyncio.run(_take_alone(conversation_id))
    return len(found)


async def _take_alone(conversation_id: int) -> TurnOutcome:
    """In an event loop that ends with it, and with what is open to the model's provider."""
    try:
        return await _take_and_log(conversation_id)
    finally:
        await close()


async def close() -> None:
    """Closes what the running event loop has open to the database and to the model's provider; a later turn opens it again."""
    await async_connections.close()
    if settings.ANTHROPIC_API_KEY:
        from conversations.assistant import claude

        await claude.close()


async def _take_until_quiet(conversation_id: int) -> TurnOutcome:
    outcome = NOTHING
    while True:
        _asked_again.discard(conversation_id)
        latest = await _take_and_log(conversation_id)
        # What was said since may be another process's to answer: whether anything is left is for the record to say then.
        outcome = latest if latest is not NOTHING else replace(outcome, is_last=False)
        # No await between this look and the end of the task, so nobody can ask in between.
        if conversation_id not in _asked_again:
            return outcome


async def _take_and_log(conversation_id: int) -> TurnOutcome:
    try:
        return await take(conversation_id)
    except Exception:
        # The database is away, most likely; the turn stays due and the sweep finds it.
        logger.exception("turn_not_taken", extra={"conversation": conversation_id})
        return FAILED


def _forget(conversation_id: int, task: asyncio.Task[TurnOutcome]) -> None:
    if _running.get(conversation_id) is task:
        del _running[conversation_id]
        _asked_again.discard(conversation_id)


async def _run(begun: Begun) -> TurnOutcome:
    claim = begun.claim
    try:
        async with asyncio.timeout(settings.TURN_LEASE_SECONDS * SHARE_OF_LEASE):
            return await _answer(begun)
    except TurnLost:
        return DROPPED
    except TurnOvertaken:
        await _in_thread(turns.release)(claim)
        return DROPPED
    except AssistantStopped:
        # Prepared anew it is nobody's but people's, and what the customer is told says so.
        return await _run(await _in_thread(beginning.prepared_for)(claim))
    except Exception:
        logger.exception("turn_failed", extra={"conversation": claim.conversation_id, "attempt": claim.attempts})
        return await _after_failure(claim)


async def _after_failure(claim: Claim) -> TurnOutcome:
    if claim.attempts >= MOST_ATTEMPTS:
        try:
            seq = await _in_thread(finishing.give_up)(claim)
        except TurnLost:
            return DROPPED
        except Exception:
            logger.exception("turn_not_given_up", extra={"conversation": claim.conversation_id})
        else:
            return TurnOutcome("handed_over", seq)
    await _in_thread(turns.put_off)(claim, retry_in=min(RETRY_IN * claim.attempts, LONGEST_RETRY))
    return FAILED


async def _answer(begun: Begun) -> TurnOutcome:
    prepared = begun.prepared
    if begun.problem:
        raise begun.problem
    if prepared is None:
        await _in_thread(finishing.nothing_to_say)(begun.claim)
        return NOTHING
    if begun.stop:
        return await _stopped(prepared, begun.stop)
    with override(prepared.context.language):
        if prepared.entry_point.mode == EntryPoint.Mode.SHADOW and not await _in_thread(stop_in_force)():
            await _draft(prepared)
        return await _ended(prepared, begun, TurnRecord())


async def _ended(prepared: Prepared, begun: Begun, record: TurnRecord) -> TurnOutcome:
    """Answers or hands over; what a model was asked is kept even when nothing comes of the turn."""
    try:
        ending = begun.ending
        if ending is None:
            ending = await _brain_ending(prepared, begun.judging, record)
        elif prepared.live:
            ending = replace(ending, did_something=await _keep_wishes(prepared, record))
        finished = await _in_thread(finishing.finish)(prepared, ending)
    except Exception as problem:
        if record.model:
            outcome = "dropped" if isinstance(problem, TurnLost | TurnOvertaken) else "failed"
            await _in_thread(tracing.keep)(prepared, record, outcome=outcome)
        raise
    return TurnOutcome("answered" if isinstance(ending.said, Reply) else "handed_over", finished.seq, finished.is_last)


async def _stopped(prepared: Prepared, stop: pacing.Stop) -> TurnOutcome:
    """The AI agent says no more: a person is asked once, and what comes after that stays without an answer."""
    if stop.is_told:
        await _in_thread(finishing.nothing_to_say)(prepared.claim)
        return NOTHING
    decision = await _in_thread(decide_again)(prepared, asked_for_human=True)
    next_step = _("See whether anybody is there: the AI agent says nothing more until you have spoken.")
    handing = HandOff(form_state=handing_over.brains_part(prepared.state), why=stop.sentence, next_step=next_step)
    ending = Ending(handing, decision, silent=prepared.handoff is not None, stopped=stop)
    finished = await _in_thread(finishing.finish)(prepared, ending)
    return TurnOutcome("handed_over", finished.seq, finished.is_last)


async def _brain_ending(prepared: Prepared, judging: Judging | None, record: TurnRecord) -> Ending:
    return replace(await _brains_word(prepared, judging, record), record=record)


async def _brains_word(prepared: Prepared, judging: Judging | None, record: TurnRecord) -> Ending:
    tools = TurnTools(prepared, record)
    prepared = await _with_what_was_begun(prepared, tools)
    said = await listening.listen(choose_brain(), prepared, tools, record, judging)
    not_known = isinstance(said, Reply) and said.unanswered and (tools.found_nothing or said.nearest_only)
    unanswered = not_known or (isinstance(said, Reply) and said.held_back)
    ended = partial(Ending, did_something=tools.did_something, unanswered=unanswered)
    if isinstance(said, Reply) and not (said.failed and prepared.handoff is None):
        return ended(handing_over.with_number_asked(prepared, said) if awaits_number(prepared) else said, prepared.decision)
    if isinstance(said, Reply):
        decision = await _in_thread(decide_again)(prepared, failed_turns=prepared.need.failed_turns + 1)
        if decision.handler == Decision.Handler.ASSISTANT:
            return ended(said, decision, failed=True)
        return ended(HandOff(form_state=said.form_state), decision, failed=True)
    decision = await _in_thread(decide_again)(prepared, asked_for_human=True)
    return ended(said, decision)


async def _keep_wishes(prepared: Prepared, record: TurnRecord) -> bool:
    """Notes what was said about consent in a turn that goes to people without a brain; returns whether there was anything."""
    tools = TurnTools(prepared, record)
    for wish in prepared.context.understanding.wishes:
        await tools.call(set_consent.TOOL.name, wish.as_arguments())
    return tools.did_something


async def _with_what_was_begun(prepared: Prepared, tools: TurnTools) -> Prepared:
    """Finishes a call that an earlier worker began, so that the brain can tell what came of it."""
    result = await tools.finish_running()
    if result is None:
        return prepared
    told = {"tool": result.tool, "result": dict(result.result), "error": result.error, "sentence": result.sentence}
    state = {**prepared.context.form_state, "announce": told}
    return replace(prepared, context=replace(prepared.context, form_state=state))


async def _draft(prepared: Prepared) -> None:
    """For an entry point on trial: what the AI agent would have said, for staff only. Tools change nothing."""
    context, record = replace(prepared.context, waits_for_person=False), TurnRecord()
    on_trial, tools = replace(prepared, context=context), TurnTools(prepared, record)
    said = await listening.listen(choose_brain(), on_trial, tools, record)
    if isinstance(said, Reply):
        await _in_thread(finishing.keep_draft)(prepared, said, record, tools.only_wanted)


def choose_brain() -> Brain:
    """The brain that the settings name; else Claude, when there is a key, with the rules behind it; the rules alone without one."""
    if settings.ASSISTANT_BRAIN:
        brain: Brain = import_string(settings.ASSISTANT_BRAIN)()
        return brain
    if not settings.ANTHROPIC_API_KEY:
        return RulesBrain()
    # The library takes long to load, and nobody without a key needs it.
    from conversations.assistant.claude import Claude

    return FallingBack(ModelBrain(Claude()), RulesBrain())


def _in_thread(function: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    return database_sync_to_async(function, thread_sensitive=False)
