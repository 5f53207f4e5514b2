"""Calls to the teacher as MLflow traces: the prompt, the reply, and what became of it."""

from __future__ import annotations

import json

from med_small_lm.teacher.calls import Call
from med_small_lm.teacher.requests import OK


class Tracer:
    """Keeps the first ``most`` calls of one step as traces of the active MLflow run."""

    def __init__(self, what: str, most: int) -> None:
        """Name the step."""
        self._what, self._left = what, most

    def __call__(self, call: Call) -> None:
        """Keep one finished call, as the ledger has it; nothing happens where no run is active."""
        import mlflow

        if not self._left or mlflow.active_run() is None:
            return
        self._left -= 1
        request = json.loads(call.request)
        span = mlflow.start_span_no_context(
            f"{self._what}: {call.task}",
            span_type="CHAT_MODEL",
            inputs={"messages": request.get("messages")},
            attributes={"call_id": call.call_id, "model": call.model, "status": call.status},
            start_time_ns=int(call.created * 1e9),
        )
        span.set_attributes({"reason": call.reason, "attempts": call.attempts, "cost": call.cost, **call.usage})
        read, said = (call.usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens"))
        usage = {"input_tokens": read, "output_tokens": said, "total_tokens": read + said}
        span.set_attribute("mlflow.chat.tokenUsage", usage)  # what MLflow's pages sum up
        status = "OK" if call.status == OK else "ERROR"
        span.end(outputs=json.loads(call.response or "null"), status=status, end_time_ns=int(call.finished * 1e9))
