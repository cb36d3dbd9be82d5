"""How routing tells those above it that something changed: sent after commit, with the row.

`reservation_changed(reservation=Reservation)`, `work_item_changed(work_item=WorkItem)`,
`presence_changed(presence=Presence)`, `queue_changed(queue=Queue)` when one is paused or goes on. A receiver that fails is
logged and never disturbs routing.
"""

from django.dispatch import Signal

reservation_changed = Signal()
work_item_changed = Signal()
presence_changed = Signal()
queue_changed = Signal()
