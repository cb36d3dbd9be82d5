"""Runs the processes of CX Hub side by side, on honcho's manager, printer and processes.

honcho ends everything when one process ends. Here a process that dies is started again, with a visible line and a
pause that grows while it keeps dying. On Ctrl-C, SIGTERM or a closed terminal all are asked to end, and killed
(with their own children) when they do not within `KILL_SECONDS`.
"""

import ctypes
import multiprocessing
import queue
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any

from honcho.manager import Manager
from honcho.process import Popen, Process

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 20.0
"""A process that ran this long is counted as healthy again, and the pause starts small."""
KILL_SECONDS = 10.0
PR_SET_PDEATHSIG = 1
"""From linux/prctl.h: the signal the kernel sends to a process whose parent died."""


class Supervisor(Manager):  # type: ignore[misc]  # honcho has no types
    """A honcho manager that restarts what dies, until it is told to stop."""

    def __init__(self, folder: Path) -> None:
        """Processes start in `folder`."""
        super().__init__()
        self._folder = folder
        self._process_ctor = TiedProcess
        self._children: dict[str, Child] = {}
        self._chores: list[Chore] = []
        self._stopping_since: float | None = None

    def add(self, name: str, command: Sequence[str], *, keep_open: Sequence[int] = ()) -> None:
        """Have `command` run under `name`. It inherits the file descriptors in `keep_open`."""
        process = self.add_process(name, "exec " + shlex.join(command), cwd=str(self._folder))
        process.keep_open = tuple(keep_open)
        self._children[name] = Child(process)

    def add_chore(self, run: Callable[[], bool], *, every_seconds: float) -> None:
        """Have `run` called again and again while the processes run, until it returns True."""
        self._chores.append(Chore(run, every_seconds))

    def say(self, text: str) -> None:
        """Print a line of our own among those of the processes."""
        self._system_print(text + "\n")

    def loop(self) -> None:
        """Run everything until a signal arrives and all processes have ended; `returncode` is then set."""
        for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signal_number, self._stop_on_signal)
        for child in self._children.values():
            child.start(self.events)
        while self._stopping_since is None or any(child.is_alive() for child in self._children.values()):
            self._handle_event()
            if self._stopping_since is None:
                self._start_what_is_due()
                self._do_chores()
            elif time.monotonic() - self._stopping_since > KILL_SECONDS:
                self._send_to_all(self._procmgr.kill)
        self._drain()

    def _stop_on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self.returncode = 0 if number == signal.SIGINT else 128 + number
            self.say(f"{signal.Signals(number).name} received, stopping")
            self._send_to_all(self._procmgr.terminate)

    def _send_to_all(self, send: Callable[[int], None]) -> None:
        for child in self._children.values():
            if child.pid is not None:
                send(child.pid)

    def _handle_event(self) -> None:
        try:
            event = self.events.get(timeout=0.1)
        except queue.Empty:
            return
        child = self._children[event.name]
        if event.type == "line":
            self._printer.write(event)
        elif event.type == "start":
            child.pid = event.data["pid"]
            if self._stopping_since is not None:
                self._procmgr.terminate(child.pid)
        elif event.type == "stop":
            if child.pid is not None:
                self._procmgr.kill(child.pid)  # whatever it left behind in its group
            child.note_end()
            if self._stopping_since is None:
                self.say(f"{event.name} ended (code {event.data['returncode']}); starting it again in {child.pause:.0f} s")

    def _start_what_is_due(self) -> None:
        for name, child in self._children.items():
            if child.due_at is not None and time.monotonic() >= child.due_at:
                self.say(f"{name} starting again")
                child.start(self.events)

    def _do_chores(self) -> None:
        for chore in list(self._chores):
            if time.monotonic() >= chore.due_at:
                if chore.run():
                    self._chores.remove(chore)
                chore.due_at = time.monotonic() + chore.every_seconds

    def _drain(self) -> None:
        while not self.events.empty():
            event = self.events.get()
            if event.type == "line":
                self._printer.write(event)


class TiedProcess(Process):  # type: ignore[misc]  # honcho has no types
    """A honcho process that ends when the supervisor dies without having had the time to end it."""

    keep_open: tuple[int, ...] = ()

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        end_with_parent(signal.SIGKILL)
        self._child_ctor = self._popen
        super().run(events, ignore_signals)

    def _popen(self, command: str, **options: Any) -> Popen:
        # A process that is asked to end may take its time or not hear it, and nobody would be left to ask again.
        return Popen(command, pass_fds=self.keep_open, preexec_fn=lambda: end_with_parent(signal.SIGKILL), **options)


@dataclass
class Child:
    """One process and when to start it again."""

    process: TiedProcess
    runner: BaseProcess | None = None
    pid: int | None = None
    started_at: float = 0.0
    pause: float = field(default=0.0)
    due_at: float | None = None

    def start(self, events: Any) -> None:
        self.due_at = None
        self.started_at = time.monotonic()
        self.runner = multiprocessing.get_context("fork").Process(target=self.process.run, args=(events, True))
        self.runner.start()

    def note_end(self) -> None:
        """Work out when to start again: at once grows to `LONGEST_PAUSE_SECONDS` while it keeps dying."""
        self.pid = None
        ran_steadily = time.monotonic() - self.started_at > STEADY_SECONDS
        self.pause = FIRST_PAUSE_SECONDS if ran_steadily else min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, self.pause * 2))
        self.due_at = time.monotonic() + self.pause

    def is_alive(self) -> bool:
        return self.runner is not None and self.runner.is_alive()


@dataclass
class Chore:
    """Something the supervisor does between the lines of its processes."""

    run: Callable[[], bool]
    every_seconds: float
    due_at: float = 0.0


def end_with_parent(signal_number: int) -> None:
    """Have the kernel send `signal_number` to this process when its parent dies. Only Linux can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)

