from importlib import import_module

from django.db import migrations

# What a customer says is filed where their line is when the lock is had, not where it was when the words came in: a
# join that was committed in between has moved the line. Everything else is written where its writer says.
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
    p_wants_turn boolean
) RETURNS TABLE (
    outcome text, entry_seq integer, entry_occurred_at timestamptz, entry_conversation bigint, owner text, fence_now integer,
    public_id uuid
) LANGUAGE plpgsql AS $$
DECLARE
    conversation conversations_conversation%ROWTYPE;
    known conversations_entry%ROWTYPE;
    line_place bigint;
    line_state text;
    place bigint := p_conversation;
    seen bigint[] := '{}';
    at timestamptz := coalesce(p_occurred_at, clock_timestamp());
BEGIN
    LOOP
        SELECT * INTO conversation FROM conversations_conversation WHERE id = place FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RETURN QUERY SELECT 'unknown', 0, at, p_conversation, ''::text, 0, NULL::uuid;
            RETURN;
        END IF;
        EXIT WHEN NOT p_wants_turn;
        seen := seen || place;
        SELECT i.conversation_id, i.state INTO line_place, line_state FROM conversations_interaction i WHERE i.id = p_interaction;
        IF line_place <> ALL (seen) THEN
            place := line_place;
        ELSIF conversation.joined_into_id <> ALL (seen) THEN
            place := conversation.joined_into_id;
        ELSE
            EXIT;
        END IF;
    END LOOP;
    IF p_source_id IS NOT NULL THEN
        SELECT * INTO known FROM conversations_entry e WHERE e.source_id = p_source_id;
        IF FOUND THEN
            RETURN QUERY SELECT 'repeated', known.seq::integer, known.occurred_at, known.conversation_id,
                                conversation.owner_kind::text, conversation.fence::integer, conversation.public_id;
            RETURN;
        END IF;
    END IF;
    IF p_wants_turn AND (conversation.status = 'closed' OR line_state = 'ended') THEN
        RETURN QUERY SELECT 'ended', 0, at, place, conversation.owner_kind::text, conversation.fence::integer, conversation.public_id;
        RETURN;
    END IF;
    INSERT INTO conversations_entry (
        conversation_id, seq, kind, actor_kind, actor_name, body, data, audience, interaction_id, source_id,
        occurred_at, recorded_at, redaction_reason
    ) VALUES (
        place, conversation.last_seq + 1, p_kind, p_actor_kind, p_actor_name, p_body, p_data, p_audience,
        p_interaction, p_source_id, at, clock_timestamp(), ''
    );
    UPDATE conversations_conversation SET
        last_seq = conversation.last_seq + 1,
        last_entry_at = clock_timestamp(),
        turn_wanted_seq = CASE WHEN p_wants_turn THEN conversation.last_seq + 1 ELSE turn_wanted_seq END
    WHERE id = place;
    RETURN QUERY SELECT 'appended', (conversation.last_seq + 1)::integer, at, place,
                        conversation.owner_kind::text, conversation.fence::integer, conversation.public_id;
END
$$;
"""

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
        SELECT a.outcome, a.entry_seq, a.entry_occurred_at, a.entry_conversation, a.public_id,
               found_one.interaction, found_one.interaction_public, found_one.person_name::text, a.owner, a.fence_now
          FROM conversation_append(
              found_one.conversation, 'message', 'customer', found_one.person_name, p_body, p_data, 'everyone',
              found_one.interaction, p_source_id, p_occurred_at, TRUE
          ) a;
END
$$;
"""

DROP = """
DROP FUNCTION interaction_append(text, text, jsonb, text, timestamptz);
DROP FUNCTION conversation_append(bigint, text, text, text, text, jsonb, text, bigint, text, timestamptz, boolean);
"""
BEFORE = import_module("conversations.migrations.0002_append_function")


class Migration(migrations.Migration):
    dependencies = [("conversations", "0004_saved_replies")]

    operations = [
        migrations.RunSQL(BEFORE.DROP, BEFORE.CREATE + BEFORE.CREATE_INBOUND),
        migrations.RunSQL(CREATE + CREATE_INBOUND, DROP),
    ]
