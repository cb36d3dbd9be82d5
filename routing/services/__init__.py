"""The only writers of routing's tables.

Locks are taken in one order everywhere: the subject's or the queue group's advisory lock, then the work item,
then its reservation, then agents by rising id. A dispatch pass locks agents before it takes waiting work items,
which is safe because nobody who holds a waiting item asks for an agent.
"""
