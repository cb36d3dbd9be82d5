"""The only writers of the record.

Locks are taken in one order everywhere, and whoever needs several of one kind takes them sorted:

1. an erasure's request or one of its steps, never both (`ErasureRequest`, `ErasureStep`): whoever has it takes the rest under it;
2. the advisory locks of a first contact's identifiers (`identity.resolve`), and those of the number that a chat wants
   called and of who wants it (`flows.calling_back`);
   a campaign's row (`campaigns`), before the customer it calls;
3. customers, always the records that others count for, by rising id (`records.lock_roots`);
   then the advisory locks of dialling that the database takes for a permission: number, subject, customer (`dialing.permit`);
4. rows of identifiers, match candidates, field conflicts and consents, only under the lock of a customer they are of; one-time
   codes and links under the advisory lock of the address or number that they went to;
5. the subjects of routing's work (`ownership.lock_with_work`), and behind them its own rows, whose order is in
   `routing.services`;
6. conversations by rising id;
7. interactions;
8. the advisory lock of the switch that stops the AI agent (`roll_out`), shared by turns; whoever throws it takes nothing else before it.

The row of a leg is locked alone (`call_legs`), before whatever follows from it.

A customer's message takes a conversation and nothing before it (migration `0005`), but for one with digits that may be a
piece of a card's number, which takes the customer first (`split_secrets.settle`). When that conversation was joined
into another while the message waited, it takes the other one as well.
"""
