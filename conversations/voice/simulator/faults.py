"""What may go wrong with a simulated call, chosen for one call or, until it is taken back, for all: by name or by option.

Source of what the real platform does in each case: Vonage, "Voice webhook reference", "Signing webhooks", "Troubleshooting".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from conversations.voice.simulator.exchange import Exchange, Leg

HOME_REGION: Final = "api-eu-1.nexmo.com"
"""Where calls are that nobody put elsewhere; requests to the platform's general host reach these."""
USUAL: Final[Mapping[str, Any]] = {
    "speed": 1.0,  # how many seconds of the call pass in one real second
    "patience": 1.0,  # how many times longer than asked for silence is borne, since typing is slower than speaking
    "repeat_events": 1,  # how often each event is delivered
    "shuffle_events": False,  # events are held back until the end of the call and come in any order
    "completed_first": False,  # `answered` comes after `completed`
    "recording_after": 1.0,  # how many seconds after its end a recording is told of
    "clock_skew": 0,  # seconds by which the platform's clock is ahead in the tokens of webhooks
    "wrong_hash": False,  # tokens of webhooks are for another body
    "unsigned": False,  # webhooks carry no token
    "replay": False,  # each webhook comes once more with the same token
    "trouble": "",  # what befalls a webhook or its answer on the way: one of TROUBLES
    "trouble_at": "answer",  # which: answer, input (all that may be answered with actions, but for the first), event
    "trouble_tries": 1,  # how many deliveries of each it befalls; two tries, then two of the fallback
    "trouble_webhooks": 0,  # how many webhooks of the leg it befalls, the first ones; 0: all
    "region": HOME_REGION,  # where the call is: other hosts know nothing of it
}
TROUBLES: Final = ("503", "lost", "slow", "too_slow", "invalid", "empty")
"""Refused before it arrived; its answer lost; its answer just in time, or just too late; its answer garbled, or gone."""
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "speed": (0.1, 100), "patience": (0.1, 100), "recording_after": (0, 600), "clock_skew": (-600, 600),
    "repeat_events": (1, 3), "trouble_tries": (0, 4), "trouble_webhooks": (0, 100),
}  # fmt: skip
WHOLE: Final = ("repeat_events", "trouble_tries", "trouble_webhooks")
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {"trouble": ("", *TROUBLES), "trouble_at": ("answer", "input", "event")}
NAMED: Final[Mapping[str, Mapping[str, Any]]] = {
    "answered-in-time": {"trouble": "slow"},
    "answered-too-late": {"trouble": "too_slow"},
    "answered-too-late-twice": {"trouble": "too_slow", "trouble_tries": 2},
    "never-reached": {"trouble": "503", "trouble_tries": 4},
    "refused-once": {"trouble": "503"},
    "refused-twice": {"trouble": "503", "trouble_tries": 2},
    "answer-lost": {"trouble": "lost", "trouble_at": "input"},
    "input-fails": {"trouble": "503", "trouble_at": "input", "trouble_tries": 4},
    "away-for-a-while": {"trouble": "503", "trouble_at": "input", "trouble_tries": 4, "trouble_webhooks": 3},
    "garbled": {"trouble": "invalid"},
    "emptied": {"trouble": "empty", "trouble_at": "input"},
    "events-twice": {"repeat_events": 2},
    "events-shuffled": {"shuffle_events": True},
    "completed-first": {"completed_first": True},
    "recording-late": {"recording_after": 30.0},
    "clock-ahead": {"clock_skew": 40},
    "clock-behind": {"clock_skew": -40},
    "wrong-hash": {"wrong_hash": True},
    "unsigned": {"unsigned": True},
    "replayed": {"replay": True},
    "another-region": {"region": "api-us-2.nexmo.com"},
}
"""Faults that a page, a command or a request may name."""
REQUEST_FAULTS: Final = ("401", "429", "500", "503", "slow", "cut", "lost")
"""What may befall the next REST requests that ask for something: refused; done but answered too late or never; never done."""


class UnknownFault(Exception):
    """There is no such fault, or no such value of it. The text names it."""


@dataclass
class Way:
    """How the webhooks of one delivery travel; `tries` counts down while `trouble` befalls them."""

    trouble: str = ""
    tries: int = 0
    speed: float = 1.0
    clock_skew: float = 0.0
    wrong_hash: bool = False
    unsigned: bool = False
    replay: bool = False
    status: int = 0
    deliveries: list[tuple[str, float, bool, int]] = field(default_factory=list)
    """Of each try: the path that it went to, how long it took in seconds, whether it was answered in time with what can be used, and
    the status of the answer, 0 when there was none."""

    def befalls(self) -> str:
        """What befalls the next try."""
        if self.tries <= 0:
            return ""
        self.tries -= 1
        return self.trouble


def way_of(leg: Leg, kind: str) -> Way:
    """The way of a webhook of this kind (`answer`, `input`, `event`) of a leg, which counts those that trouble befalls."""
    options = leg["options"]
    is_meant = options["trouble_at"] == kind and not 0 < options["trouble_webhooks"] <= leg["troubled"]
    leg["troubled"] += int(is_meant and bool(options["trouble"]))
    signing = {name: options[name] for name in ("speed", "clock_skew", "wrong_hash", "unsigned", "replay")}
    return Way(options["trouble"] if is_meant else "", options["trouble_tries"] if is_meant else 0, **signing)


def read(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they may be asked for: under their names, and by `faults`, a list of NAMED. Raises UnknownFault."""
    names = asked.get("faults", [])
    if not isinstance(names, list):
        raise UnknownFault("faults")
    options: dict[str, Any] = {}
    for name in names:
        if not isinstance(name, str) or name not in NAMED:
            raise UnknownFault(str(name))
        options |= NAMED[name]
    for name, value in asked.items():
        if name != "faults":
            options[name] = _option(name, value)
    return options


def read_requests(asked: object) -> list[str]:
    """What is to befall the next REST requests, in order. Raises UnknownFault."""
    if not isinstance(asked, list) or not all(each in REQUEST_FAULTS for each in asked):
        raise UnknownFault("requests")
    return list(asked)


async def usual_options(exchange: Exchange) -> dict[str, Any]:
    """What every new call is subject to."""
    return {**USUAL, **await exchange.chosen_options()}


def _option(name: str, value: Any) -> Any:
    if name in BOUNDS and isinstance(value, int | float) and not isinstance(value, bool):
        lowest, highest = BOUNDS[name]
        within = min(highest, max(lowest, value))
        return int(within) if name in WHOLE else float(within)
    if value in CHOICES.get(name, ()) or (isinstance(USUAL.get(name), bool) and isinstance(value, bool)):
        return value
    if name == "region" and isinstance(value, str) and value.endswith((".nexmo.com", ".vonage.com")):
        return value
    raise UnknownFault(name)
