"""The teacher's parameters."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

BUILTIN = "builtin"
"""The value of ``model`` that means the teacher of rules, which needs no endpoint and no key."""


class Pilot(BaseModel):
    """The calls that are made first, so that the rest can be forecast."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(0.01, ge=0, le=1, description="share of a node's calls that are made first")
    calls: int = Field(20, ge=0, description="fewest calls of a pilot; 0 and a share of 0: no pilot, no forecast")


class Batch(BaseModel):
    """How the endpoint's batch service is used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: int = Field(10_000, ge=1, le=50_000, description="most calls in one batch; OpenAI takes 50,000")
    at_once: int = Field(4, ge=1, description="most batches at work at once")
    window: str = Field("24h", pattern=r"^\d+[hd]$", description="time that the endpoint is given for a batch")
    poll: float = Field(60.0, gt=0, description="wait between two looks at a batch, in seconds")
    discount: float = Field(0.5, ge=0, le=1, description="share of the price that a batched call is spared")


class TeacherParams(BaseModel):
    """Who answers the requests, how it is reached, and what it may cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        BUILTIN, min_length=1, description='"builtin" (rules, no key) or the name of an endpoint\'s model'
    )
    base_url: tuple[str, ...] = Field(
        ("https://api.openai.com/v1",),
        min_length=1,
        description="an endpoint that speaks the OpenAI protocol, or a list of them that serve the same model",
    )
    on_premises: bool = Field(False, description="true: no host is spoken to but this machine and those in allow_hosts")
    allow_hosts: tuple[str, ...] = Field(
        (), description="your own hosts: on_premises lets them through, and plain HTTP is allowed to them"
    )
    temperature: float | None = Field(0.7, ge=0, le=2, description="of sampling; null leaves it to the endpoint")
    max_tokens: int = Field(1024, ge=1, description="longest reply, in tokens; a longer one fails with 'length'")
    seed: int | None = Field(None, description="sampling seed, for endpoints that take one")
    structured: Literal["auto", "json_schema", "json_object", "text"] = Field(
        "auto", description="how the reply's form is asked for; auto: the first of the other three that is not refused"
    )
    transport: Literal["online", "batch"] = Field(
        "online", description="call by call, or through the endpoint's batch service: half the price, within a day"
    )
    batch: Batch = Field(Batch(), description="how the batch service is used")
    concurrency: int = Field(
        16, ge=1, le=1024, description="most calls in flight at an endpoint; fewer while it is slow"
    )
    requests_per_minute: float | None = Field(None, gt=0, description="most calls in a minute; null: no limit")
    tokens_per_minute: float | None = Field(
        None, gt=0, description="most tokens in a minute, prompt and reply; null: no limit"
    )
    timeout: float = Field(120.0, gt=0, description="longest wait for one try, in seconds")
    deadline: float = Field(1800.0, gt=0, description="longest time for one call with all its tries, in seconds")
    attempts: int = Field(5, ge=1, description="tries of one call on 429, 5xx, time-outs and dropped connections")
    backoff: float = Field(1.0, ge=0, description="wait before the second try, in seconds; doubles, with jitter")
    backoff_max: float = Field(
        60.0, ge=0, description="longest wait between tries, in seconds; Retry-After goes above it"
    )
    repairs: int = Field(
        1, ge=0, le=9, description="calls after a reply that is cut, refused, or no JSON for the schema"
    )
    give_up_after: int = Field(
        20,
        ge=1,
        description="failed tries in a row after which an endpoint rests; after five without an answer it is left",
    )
    rest: float = Field(
        30.0, ge=0, description="how long an endpoint rests before one call tries it, in seconds; doubles"
    )
    price_in: float | None = Field(
        None,
        ge=0,
        description="price of a million prompt tokens, in the currency of your bill; 0 or null on your own servers",
    )
    price_out: float | None = Field(None, ge=0, description="price of a million reply tokens, in the same currency")
    budget: float | None = Field(
        None, ge=0, description="most that all calls in the ledger may cost, in the same currency; null: no limit"
    )
    pilot: Pilot = Field(Pilot(), description="the calls that are made first, so that the rest can be forecast")
    sample: int = Field(
        0,
        ge=0,
        description="passages of a preview, for --params: shows what becomes of them, forecasts the rest, and ends",
    )
    traces: int = Field(10, ge=0, description="calls of each node that are kept as traces in MLflow")

    @field_validator("base_url", mode="before")
    @classmethod
    def _one_or_several(cls, given: Any) -> Any:
        """Take one address as a list of one, and no slash at an end: the ledger knows endpoints by their address."""
        several = (given,) if isinstance(given, str) else given
        return tuple(str(one).rstrip("/") for one in several) if isinstance(several, list | tuple) else given

    @model_validator(mode="after")
    def _is_safe_and_priced(self) -> TeacherParams:
        """Refuse what would carry prompts and key to the wrong place, or spend money that nobody counts."""
        for url in self.base_url:
            for fault in self._faults_of(url):
                raise ValueError(fault)
        if len(set(self.base_url)) < len(self.base_url):
            raise ValueError("base_url names an endpoint twice")
        if self.transport == "batch" and len(self.base_url) > 1:
            raise ValueError("transport: batch takes one base_url, because a batch lies with one endpoint")
        if self.model != BUILTIN and None in (self.price_in, self.price_out):
            foreign = [host for host in self.hosts if not self.is_own(host)]
            if foreign or self.budget is not None:
                raise ValueError(
                    f"price_in and price_out are missing for {self.model} at {', '.join(foreign or self.hosts)}: "
                    "give its prices for a million tokens (0 if it costs nothing), or name the host in allow_hosts"
                )
        return self

    def _faults_of(self, address: str) -> Iterator[str]:
        """Yield what is wrong with one endpoint's address."""
        url = urlsplit(address)
        host = url.hostname or ""
        if url.scheme not in ("http", "https") or not host:
            yield f"base_url is no http(s) address: {address.rpartition('@')[2].partition('?')[0]}"
        elif url.username or url.password or url.query or url.fragment:
            yield "base_url holds more than host and path; a key stands in conf/local/credentials.yml"
        elif self.model == BUILTIN:
            return
        elif self.on_premises and not self.is_own(host):
            yield f"on_premises is true and {host} is not in allow_hosts: nothing is sent there"
        elif url.scheme == "http" and not self.is_own(host):
            yield f"plain HTTP to {host} is refused: use https, or name the host in allow_hosts"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the endpoints' host names, each once."""
        return tuple(dict.fromkeys(urlsplit(url).hostname or "" for url in self.base_url))

    def is_own(self, host: str) -> bool:
        """Return whether ``host`` is this machine or one that the user calls their own."""
        return is_loopback(host) or host in self.allow_hosts

    def sampling(self) -> dict[str, Any]:
        """Return what shapes a reply, and so is part of a call's key: none of it for the built-in teacher."""
        if self.model == BUILTIN:
            return {}
        given = {"temperature": self.temperature, "max_tokens": self.max_tokens, "seed": self.seed}
        return {name: value for name, value in given.items() if value is not None}

    def cost(self, tokens_in: float, tokens_out: float) -> float:
        """Return what so many tokens cost by the transport that is set."""
        price = (tokens_in * (self.price_in or 0.0) + tokens_out * (self.price_out or 0.0)) / 1e6
        return price * (1 - self.batch.discount) if self.transport == "batch" else price


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
