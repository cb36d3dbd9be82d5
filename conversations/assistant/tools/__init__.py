"""Every tool by name. Look-ups that disclose nothing private are always there; the rest a playbook must name."""

from conversations.assistant.tools import (
    book,
    cancel,
    check_area,
    correct,
    find_prices,
    find_slots,
    find_visits,
    hand_off,
    reschedule,
    search_knowledge,
    send_chat_link,
    set_consent,
    show_account,
    verify_identity,
)
from conversations.assistant.tools.base import Tool

TOOLS: dict[str, Tool] = {
    module.TOOL.name: module.TOOL
    for module in (
        book,
        cancel,
        check_area,
        correct,
        find_prices,
        find_slots,
        find_visits,
        hand_off,
        reschedule,
        search_knowledge,
        show_account,
        verify_identity,
        set_consent,
        send_chat_link,
    )
}
# Nobody has to be allowed to say that they want no more calls.
ALWAYS_THERE = frozenset({"search_knowledge", "find_prices", "find_visits", "hand_off", "set_consent"})
# Whoever may book may also put a typing error right.
COMES_WITH = {"correct": "book"}
