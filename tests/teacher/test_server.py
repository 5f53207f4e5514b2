"""The endpoint that goes wrong on purpose does so as it says, and counts right."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import openai
import pytest

from .faults import ALL, CONTENT, IN_BATCH, Config, Kind
from .server import Server, running

Client = openai.AsyncOpenAI


def with_client(server: Server, work: Callable[[Client], Awaitable[Any]], timeout: float = 5.0) -> Any:
    async def inside() -> Any:
        async with Client(base_url=server.url, api_key="sk-x", max_retries=0, timeout=timeout) as client:
            return await work(client)

    return asyncio.run(inside())


def body(number: int) -> dict[str, Any]:
    return {"model": "test-model", "messages": [{"role": "user", "content": f"number {number}"}]}


async def ask(client: Client, number: int) -> Any:
    return await client.chat.completions.create(**body(number))


async def make_batch(client: Client, numbers: range) -> Any:
    lines = [{"custom_id": f"c{n}", "method": "POST", "url": "/v1/chat/completions", "body": body(n)} for n in numbers]
    text = "\n".join(map(json.dumps, lines)).encode()
    file = await client.files.create(file=("lines.jsonl", text), purpose="batch")
    return await client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"ours": "7"}
    )


async def ended(client: Client, name: str) -> Any:
    while (batch := await client.batches.retrieve(name)).status in ("validating", "in_progress", "finalizing"):
        pass
    return batch


async def lines_of(client: Client, file: str | None) -> dict[str, Any]:
    if file is None:
        return {}
    lines = map(json.loads, (await client.files.content(file)).text.splitlines())
    return {line["custom_id"]: line for line in lines}


def test_without_faults_it_echoes_and_counts() -> None:
    async def work(client: Client) -> Any:
        return await asyncio.gather(*(ask(client, n) for n in range(50)))

    with running(Config(latency=0.001)) as server:
        replies = with_client(server, work)
        counts, rows = server.book.counts(), server.book.rows()
    assert [json.loads(reply.choices[0].message.content) for reply in replies] == [{"n": n} for n in range(50)]
    assert counts["requests"] == counts["valid"] == 50 and counts["in_flight"] == 0 < counts["most_in_flight"]
    assert {row["reply"]: row["tokens_in"] for row in rows} == {r.id: r.usage.prompt_tokens for r in replies}
    assert all(row["whole"] and row["ended"] >= row["began"] for row in rows)


FAULTS = {
    Kind.BUSY_UNTIL: openai.RateLimitError,
    Kind.BUSY: openai.RateLimitError,
    Kind.BROKEN: openai.InternalServerError,
    Kind.OVERLOADED: openai.InternalServerError,
    Kind.DROP: openai.APIConnectionError,
    Kind.DROP_AFTER: openai.APIConnectionError,
    Kind.DRIP: TimeoutError,
    Kind.MALFORMED: ValueError,
    Kind.TRUNCATED: ValueError,
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_met_as_it_is_named_and_only_a_whole_reply_is_paid(kind: Kind) -> None:
    async def work(client: Client) -> None:
        raw = await asyncio.wait_for(client.chat.completions.with_raw_response.create(**body(1)), 0.3)
        json.loads(raw.text)

    with running(Config(share=1, kinds=(kind,), retry_after=2, drip=20)) as server:
        with pytest.raises(FAULTS[kind]) as raised:
            with_client(server, work)
        (row,) = server.book.served
    if kind is Kind.BUSY_UNTIL:
        assert raised.value.response.headers["retry-after"] == "2"  # type: ignore[attr-defined]
    assert (row.whole, row.valid, row.dropped) == ((True,) * 3 if kind is Kind.DROP_AFTER else (False,) * 3)


@pytest.mark.parametrize("kind", CONTENT)
def test_content_of_no_use_is_paid_and_not_valid(kind: Kind) -> None:
    with running(Config(share=1, kinds=(kind,))) as server:
        reply = with_client(server, lambda client: ask(client, 12))
        (row,) = server.book.served
    choice = reply.choices[0]
    assert row.whole and not row.valid and row.tokens_out == reply.usage.completion_tokens
    assert (choice.finish_reason, bool(choice.message.refusal)) == (
        kind.value if kind in (Kind.LENGTH, Kind.CONTENT_FILTER) else "stop",
        kind is Kind.REFUSAL,
    )
    assert choice.message.content != '{"n": 12}'


def test_faults_are_drawn_for_each_prompt_and_try_and_are_the_same_again() -> None:
    config = Config(share=0.2)
    drawn = [config.kind(f"{prompt}", asked) for prompt in range(2000) for asked in range(2)]
    assert drawn == [config.kind(f"{prompt}", asked) for prompt in range(2000) for asked in range(2)]
    assert drawn != [Config(share=0.2, seed=1).kind(f"{p}", asked) for p in range(2000) for asked in range(2)]
    assert set(drawn) == {Kind.OK, *ALL} and 0.17 < sum(kind is not Kind.OK for kind in drawn) / 4000 < 0.23


def test_a_batch_is_answered_after_its_polls_with_errors_in_a_file_of_their_own() -> None:
    async def work(client: Client) -> Any:
        batch = await ended(client, (await make_batch(client, range(200))).id)
        listed = [one.metadata async for one in await client.batches.list(limit=1)]
        return batch, await lines_of(client, batch.output_file_id), await lines_of(client, batch.error_file_id), listed

    with running(Config(share=0.5, kinds=IN_BATCH, polls=3)) as server:
        batch, output, errors, listed = with_client(server, work)
        rows = server.book.served
    assert batch.status == "completed" and batch.request_counts.completed == len(output) > 0
    assert set(output) | set(errors) == {f"c{n}" for n in range(200)} and not set(output) & set(errors)
    assert {line["response"]["status_code"] for line in errors.values()} == {400, 429, 500}
    assert sum(row.whole for row in rows) == len(output) > sum(row.valid for row in rows) > 0
    assert listed == [{"ours": "7"}]


def test_a_batch_expires_with_a_part_and_another_fails() -> None:
    async def work(client: Client) -> Any:
        names = [(await make_batch(client, range(first, first + 10))).id for first in (0, 10)]
        expired, failed = [await ended(client, name) for name in names]
        return expired, await lines_of(client, expired.error_file_id), failed

    with running(Config(expired=(0,), failed=(1,))) as server:
        expired, errors, failed = with_client(server, work)
    assert (expired.status, failed.status) == ("expired", "failed")
    assert expired.request_counts.completed == 5 == len(errors)
    assert {line["error"]["code"] for line in errors.values()} == {"batch_expired"}
    assert failed.output_file_id is None and failed.errors.data[0].code == "token_limit_exceeded"


def test_a_batch_of_which_nobody_heard_is_found_by_its_metadata() -> None:
    async def work(client: Client) -> Any:
        with pytest.raises(openai.APIConnectionError):
            await make_batch(client, range(3))
        return [batch async for batch in await client.batches.list()]

    kinds = {"POST files": Kind.OK, "POST batches": Kind.DROP_AFTER, "GET batches": Kind.OK}
    with running() as server:
        server.book.service = lambda what: kinds[what]  # type: ignore[method-assign]
        (batch,) = with_client(server, work)
    assert batch.metadata == {"ours": "7"}
