"""What screens and reports read of routing. Nothing here writes."""

from routing.selectors.board import Board, QueueLine, board
from routing.selectors.waiting import estimated_wait, live_for_agent, position, waiting

__all__ = ["Board", "QueueLine", "board", "estimated_wait", "live_for_agent", "position", "waiting"]
