"""The only writers of routing's tables.

Locks are taken in one order everywhere: the subject's advisory lock, then its work item, then its reservation, then
agents by rising id. Whoever changes several subjects in one transaction takes all their advisory locks first, by
rising subject.

A dispatch pass goes the other way, from agents to work, so it never waits for a row: under the advisory lock of its
queue group it takes what nobody holds (SKIP LOCKED) and leaves the rest. Who waits for that lock holds another one, which tells
further ones that they need not wait. Supervisors who pause a queue lock its row and nothing else. Nobody can wait for a pass
that waits for them: it also inserts rows that refer to reservations (`interrupting`), which everybody else therefore locks
FOR NO KEY UPDATE. Whoever held waiting work has a pass follow their commit; for agents who were held, `dispatch` waits while
it holds nothing, and makes another pass.
"""
