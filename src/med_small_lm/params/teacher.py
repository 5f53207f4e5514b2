"""The teacher's parameters."""

from __future__ import annotations

import ipaddress
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

BUILTIN = "builtin"
"""The value of ``model`` that means the teacher of rules, which needs no endpoint and no key."""


class TeacherParams(BaseModel):
    """Who answers the requests, how it is reached, and what it costs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        BUILTIN, min_length=1, description='"builtin" (rules, no key) or the name of an endpoint\'s model'
    )
    base_url: str = Field("https://api.openai.com/v1", description="an endpoint that speaks the OpenAI protocol")
    allow_http: tuple[str, ...] = Field((), description="hosts besides loopback that may be spoken to without TLS")
    temperature: float | None = Field(0.7, ge=0, le=2, description="of sampling; null leaves it to the endpoint")
    max_tokens: int = Field(1024, ge=1, description="longest reply, in tokens; a longer one fails with 'length'")
    seed: int | None = Field(None, description="sampling seed, for endpoints that take one")
    structured: Literal["json_schema", "json_object", "text"] = Field(
        "json_schema",
        description="how the reply's form is asked for; the weaker two are for endpoints without the first",
    )
    concurrency: int = Field(16, ge=1, le=1024, description="calls in flight at once")
    requests_per_minute: float | None = Field(
        None, gt=0, description="most calls that leave in a minute; null: no limit"
    )
    timeout: float = Field(120.0, gt=0, description="longest wait for one reply, in seconds")
    attempts: int = Field(5, ge=1, description="tries of one call on 429, 5xx, time-outs and dropped connections")
    backoff: float = Field(1.0, ge=0, description="wait before the second try, in seconds; doubles, with jitter")
    backoff_max: float = Field(
        60.0, ge=0, description="longest wait between tries, in seconds; Retry-After goes above it"
    )
    repairs: int = Field(1, ge=0, le=1, description="requests to put right a reply that is no JSON for the schema")
    give_up_after: int = Field(20, ge=1, description="calls lost in a row after which everything stops")
    price_in: float = Field(0.0, ge=0, description="price of a million prompt tokens, in the currency of your bill")
    price_out: float = Field(0.0, ge=0, description="price of a million reply tokens, in the same currency")

    @model_validator(mode="after")
    def _endpoint_is_safe(self) -> TeacherParams:
        """Refuse an endpoint that would carry prompts and key over an open line."""
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"base_url is no http(s) address: {self.base_url}")
        if url.username or url.password:
            raise ValueError("base_url holds credentials; put the key into conf/local/credentials.yml")
        if url.scheme == "http" and not is_loopback(url.hostname) and url.hostname not in self.allow_http:
            raise ValueError(f"plain HTTP to {url.hostname} is refused: use https, or name the host in allow_http")
        return self

    def sampling(self) -> dict[str, Any]:
        """Return what shapes a reply, and so is part of a call's key: none of it for the built-in teacher."""
        if self.model == BUILTIN:
            return {}
        given = {"temperature": self.temperature, "max_tokens": self.max_tokens, "seed": self.seed}
        return {name: value for name, value in given.items() if value is not None}

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """Return what so many tokens cost."""
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
