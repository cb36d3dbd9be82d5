"""Each attack ends as the table says, tells the attacker nothing, changes nothing of the victim's, and looks the same without a victim."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from conversations.models import HostSiteKey
from routing.models import AgentProfile
from tests.attacks import on_chat, on_phone, on_text, victim, watching, with_proofs
from tests.attacks.attack import CLOSED, WITH_A_PERSON, Attack
from tests.attacks.conftest import start_anew
from tests.attacks.scene import Scene, in_thread
from tests.attacks.victim import Victim
from tests.attacks.watching import Rows
from tests.voice.rest_side import Platform

pytestmark = pytest.mark.usefixtures("transactional_db")
ATTACKS = {each.name: each for module in (on_chat, on_phone, on_text, with_proofs) for each in module.ATTACKS}


@dataclass
class Seen:
    """What came of an attack: how it ended, what reached the attacker, the rows before and after, and the statements."""

    outcome: str
    scene: Scene
    before: Rows
    after: Rows
    statements: int


@pytest.mark.parametrize("name", ATTACKS)
async def test_attack(name: str, company: HostSiteKey, platform: Platform) -> None:
    """With a victim whose record is rich, and without."""
    attack = ATTACKS[name]
    nobody = await carried_out(attack, Scene(platform, company, None))
    await in_thread(start_anew)()
    platform.requests.clear()
    known = await carried_out(attack, Scene(platform, company, await in_thread(make_victim)(attack.victim)))
    assert (known.outcome, nobody.outcome if attack.is_blind else attack.outcome) == (attack.outcome, attack.outcome)
    assert known.scene.victim
    got, given = " ".join(known.scene.got), " ".join(known.scene.sent)
    assert victim.leaked(known.scene.victim.secrets(), got, given) == []
    assert watching.changes(known.before, known.after) <= attack.alters
    assert watching.added_about(known.scene.victim.customer, known.before, known.after) <= attack.adds
    if attack.is_blind:
        assert watching.plain(known.scene.seen) == watching.plain(nobody.scene.seen)
        assert attack.statements_apart is None or abs(known.statements - nobody.statements) <= attack.statements_apart


async def carried_out(attack: Attack, scene: Scene) -> Seen:
    """Carries an attack out in the record as it is."""
    before = await in_thread(watching.rows_now)()
    await in_thread(watching.count_statements)()
    outcome = await attack.does(scene)
    statements = await in_thread(watching.count_statements)()
    return Seen(outcome, scene, before, await in_thread(watching.rows_now)(), statements.total())


def make_victim(standing: str) -> Victim:
    """A victim whose record stands as an attack wants it."""
    by = AgentProfile.objects.order_by("pk")[0] if standing == WITH_A_PERSON else None
    return victim.known_to_the_company(by=by, is_open=standing != CLOSED)
