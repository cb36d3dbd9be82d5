"""The figures, one file each, with their definitions. METRICS has them all by code."""

from collections.abc import Mapping

from reporting.figure import Metric
from reporting.metrics import (
    answered_in_time,
    containment,
    draft_agreement,
    duplicate_conversations,
    journey_accuracy,
    marks,
    routing_consistency,
    suggested_outcomes,
    volumes,
)

HEADLINES = (duplicate_conversations.CROSS_CHANNEL, journey_accuracy.ACCURACY, routing_consistency.CONSISTENCY)
"""What the product promises: no duplicates, nothing missing, the same routing on every channel."""

SERVICE = (
    containment.CONTAINMENT,
    containment.RESOLVED,
    answered_in_time.ANSWERED_IN_TIME,
    answered_in_time.TIME_TO_PERSON,
    marks.CONTENT,
)

ROLL_OUT = (draft_agreement.AGREEMENT, suggested_outcomes.KEPT)

METRICS: Mapping[str, Metric] = {
    metric.code: metric
    for module in (
        duplicate_conversations,
        journey_accuracy,
        routing_consistency,
        volumes,
        containment,
        answered_in_time,
        draft_agreement,
        suggested_outcomes,
        marks,
    )
    for metric in module.METRICS
}
