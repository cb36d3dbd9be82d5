from django.db import migrations

# One round trip appends an entry: it locks the conversation, answers a repeated source with the entry
# that is there, refuses a moved fence, takes the next seq and inserts. The same function serves the
# ORM's connection and the asynchronous pool, so there is one way to write history.
CREATE = """
CREATE FUNCTION conversation_append(
    p_conversation bigint,
    p_kind text,
    p_actor_kind text,
    p_actor_name text,
    p_body text,
    p_data jsonb,
    p_audience text,
    p_interaction bigint,
    p_source_id text,
    p_occurred_at timestamptz,
    p_fence integer,
    p_wants_turn boolean
) RETURNS TABLE (
    outcome text, entry_seq integer, entry_occurred_at timestamptz, entry_conversation bigint, owner text, fence_now integer,
    public_id uuid
) LANGUAGE plpgsql AS $$
DECLARE
    conversation conversations_conversation%ROWTYPE;
    known conversations_entry%ROWTYPE;
    at timestamptz := coalesce(p_occurred_at, clock_timestamp());
BEGIN
    SELECT * INTO conversation FROM conversations_conversation WHERE id = p_conversation FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown', 0, at, p_conversation, ''::text, 0, NULL::uuid;
        RETURN;
    END IF;
    IF p_source_id IS NOT NULL THEN
        SELECT * INTO known FROM conversations_entry e WHERE e.source_id = p_source_id;
        IF FOUND THEN
            RETURN QUERY SELECT 'repeated', known.seq::integer, known.occurred_at, known.conversation_id,
                                conversation.owner_kind::text, conversation.fence::integer, conversation.public_id;
            RETURN;
        END IF;
    END IF;
    IF p_fence IS NOT NULL AND p_fence <> conversation.fence THEN
        RETURN QUERY SELECT 'fenced', 0, at, p_conversation, conversation.owner_kind::text, conversation.fence::integer, conversation.public_id;
        RETURN;
    END IF;
    IF p_wants_turn AND conversation.status = 'closed' THEN
        RETURN QUERY SELECT 'ended', 0, at, p_conversation, conversation.owner_kind::text, conversation.fence::integer, conversation.public_id;
        RETURN;
    END IF;
    INSERT INTO conversations_entry (
        conversation_id, seq, kind, actor_kind, actor_name, body, data, audience, interaction_id, source_id,
        occurred_at, recorded_at, redaction_reason
    ) VALUES (
        p_conversation, conversation.last_seq + 1, p_kind, p_actor_kind, p_actor_name, p_body, p_data, p_audience,
        p_interaction, p_source_id, at, clock_timestamp(), ''
    );
    UPDATE conversations_conversation SET
        last_seq = conversation.last_seq + 1,
        last_entry_at = clock_timestamp(),
        turn_wanted_seq = CASE WHEN p_wants_turn THEN conversation.last_seq + 1 ELSE turn_wanted_seq END
    WHERE id = p_conversation;
    RETURN QUERY SELECT 'appended', (conversation.last_seq + 1)::integer, at, p_conversation,
                        conversation.owner_kind::text, conversation.fence::integer, conversation.public_id;
END
$$;
"""

# What a socket or a webhook needs for every later sentence of a party: find the interaction by the
# transport's id, see that it can still take words, and append, in one round trip.
CREATE_INBOUND = """
CREATE FUNCTION interaction_append(
    p_provider_id text,
    p_body text,
    p_data jsonb,
    p_source_id text,
    p_occurred_at timestamptz
) RETURNS TABLE (
    outcome text, entry_seq integer, entry_occurred_at timestamptz, conversation_id bigint,
    conversation_public_id uuid, interaction_id bigint, interaction_public_id uuid, person_name text, owner text, fence_now integer
) LANGUAGE plpgsql AS $$
DECLARE
    found_one record;
BEGIN
    SELECT i.id AS interaction, i.public_id AS interaction_public, i.state, c.id AS conversation,
           c.public_id AS conversation_public, c.status, person.name AS person_name
      INTO found_one
      FROM conversations_interaction i
      JOIN conversations_conversation c ON c.id = i.conversation_id
      JOIN conversations_customer person ON person.id = c.customer_id
     WHERE i.provider_id = p_provider_id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF found_one.state = 'ended' OR found_one.status = 'closed' THEN
        RETURN QUERY
            SELECT 'repeated', e.seq::integer, e.occurred_at, e.conversation_id, c.public_id, i.id, i.public_id,
                   found_one.person_name::text, c.owner_kind::text, c.fence::integer
              FROM conversations_entry e
              JOIN conversations_conversation c ON c.id = e.conversation_id
              JOIN conversations_interaction i ON i.id = e.interaction_id
             WHERE e.source_id = p_source_id;
        IF FOUND THEN
            RETURN;
        END IF;
        RETURN QUERY SELECT 'ended', 0, now(), found_one.conversation, found_one.conversation_public,
                            found_one.interaction, found_one.interaction_public, ''::text, ''::text, 0;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT a.outcome, a.entry_seq, a.entry_occurred_at, a.entry_conversation, found_one.conversation_public,
               found_one.interaction, found_one.interaction_public, found_one.person_name::text, a.owner, a.fence_now
          FROM conversation_append(
              found_one.conversation, 'message', 'customer', found_one.person_name, p_body, p_data, 'everyone',
              found_one.interaction, p_source_id, p_occurred_at, NULL, TRUE
          ) a;
END
$$;
"""

DROP = """
DROP FUNCTION interaction_append(text, text, jsonb, text, timestamptz);
DROP FUNCTION conversation_append(
    bigint, text, text, text, text, jsonb, text, bigint, text, timestamptz, integer, boolean
);
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]

    operations = [migrations.RunSQL(CREATE + CREATE_INBOUND, DROP)]
