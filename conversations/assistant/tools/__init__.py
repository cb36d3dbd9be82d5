"""Every tool by name. Look-ups that disclose nothing private are always there; the rest a playbook must name."""

from conversations.assistant.tools import (
    add_action_item,
    book,
    cancel,
    change_callback,
    check_area,
    correct,
    find_callbacks,
    find_hours,
    find_invoices,
    find_orders,
    find_prices,
    find_slots,
    find_visits,
    hand_off,
    open_ticket,
    promise_to_pay,
    reschedule,
    schedule_callback,
    search_knowledge,
    send_chat_link,
    send_link,
    set_consent,
    set_reason,
    show_account,
    update_fact,
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
        find_hours,
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
        find_orders,
        find_invoices,
        promise_to_pay,
        open_ticket,
        schedule_callback,
        find_callbacks,
        change_callback,
        send_link,
        update_fact,
        set_reason,
        add_action_item,
    )
}
# Nobody has to be allowed to say that they want no more calls, and whoever may hand over promises calls: these are told and changed.
ALWAYS_THERE = frozenset(
    module.TOOL.name
    for module in (
        search_knowledge, find_hours, find_prices, find_visits, hand_off, set_consent, find_callbacks, change_callback,
    )
)  # fmt: skip
# Whoever may book may also put a typing error right.
COMES_WITH = {correct.TOOL.name: book.TOOL.name}
