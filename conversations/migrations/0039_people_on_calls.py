"""People who are on a call while the table of their places comes: from the call's data into a row each."""

from datetime import UTC, datetime

from django.db import migrations
from django.utils import timezone


def to_rows(apps, schema_editor):
    Interaction = apps.get_model("conversations", "Interaction")
    CallSeat = apps.get_model("conversations", "CallSeat")
    for call in Interaction.objects.filter(channel="voice", data__has_key="agent_leg"):
        leg = call.data.pop("agent_leg") or {}
        is_free = leg and not CallSeat.objects.filter(agent_id=leg["agent"], state__in=["ringing", "connected"]).exists()
        if call.state != "ended" and leg and leg["id"] and is_free:
            talks = leg["state"] == "talking"
            CallSeat.objects.create(
                interaction=call,
                agent_id=leg["agent"],
                name=leg["name"],
                purpose="answer",
                manner="talk",
                state="connected" if talks else "ringing",
                outcome="connected" if talks else "",
                leg_id=leg["id"],
                until=datetime.fromtimestamp(leg["until"], UTC),
                connected_at=timezone.now() if talks else None,
            )
            call.data["caller"] = {
                "at": "room" if talks else "waiting", "since": timezone.now().timestamp(), "number": 1, "words": "", "is_reached": True,
                "for_consult": False,
            }
        call.save(update_fields=["data"])


class Migration(migrations.Migration):
    dependencies = [("conversations", "0038_call_seats")]

    operations = [migrations.RunPython(to_rows, migrations.RunPython.noop)]
