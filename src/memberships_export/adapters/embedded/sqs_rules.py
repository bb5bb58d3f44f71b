"""What SQS does with a message that nobody acknowledges, as a pure function."""

from datetime import datetime

from memberships_export.domain.messages.message import Message, Received


def received_too_often(received: Received, max_receives: int, now: datetime) -> Message:
    """Return the message for the dead letter queue. `received` counts the receives that led nowhere."""
    why = {
        "stage": "receive",
        "errorCode": "received_too_often",
        "reason": f"No worker acknowledged it in {max_receives} receives: they died, or could not save their work.",
        "attempts": str(received.receive_count),
        "failedAt": now.isoformat(),
    }
    return Message(received.message.body, {**received.message.attributes, **why})
