"""How fast an endpoint is asked: calls and tokens a minute, calls in flight, and rests when everything fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from aiolimiter import AsyncLimiter

_GENTLE = 0.8  # share of the calls in flight that is left when replies get slow
_SLOW = 2.0  # times the usual latency that counts as slow
_FAST_WEIGHT, _USUAL_WEIGHT = 0.1, 0.005  # of the newest latency in the two running means
_RESTS = 5  # an endpoint that fails after so many rests, each twice as long as the last, is left


class Pace:
    """At most so many calls and tokens in a minute, spread evenly."""

    def __init__(self, requests: float | None, tokens: float | None) -> None:
        """Set the limits; None sets none."""
        self._requests = _limiter(requests)
        self._tokens = _limiter(tokens)

    async def wait(self, tokens: float) -> None:
        """Return when a call of about so many tokens may leave."""
        if self._requests is not None:
            await self._requests.acquire()
        await self.spend(tokens)

    async def spend(self, tokens: float) -> None:
        """Return when so many tokens are within the limit: more than a second's worth is taken by the piece."""
        while self._tokens is not None and tokens > 0:
            piece = min(tokens, self._tokens.max_rate)
            await self._tokens.acquire(piece)
            tokens -= piece


def _limiter(a_minute: float | None) -> AsyncLimiter | None:
    """Return a limiter that lets a second's worth through at once, and one at least."""
    if a_minute is None:
        return None
    burst = max(1.0, a_minute / 60)
    return AsyncLimiter(burst, burst * 60 / a_minute)


class Window:
    """How many calls may be in flight: fewer when the endpoint pushes back, then one more for each round of replies.

    429 halves it, once for a round, and again where only 429 comes. Replies that take twice as long as usual take
    a fifth away. The usual latency is a slow running mean, so an endpoint that stays slow (a larger model, longer
    prompts) becomes the usual.
    """

    def __init__(self, most: int) -> None:
        """Begin with ``most`` calls, which is the upper bound as well."""
        self.most, self.size, self.in_flight = most, float(most), 0
        self._since = 0  # replies since the size last changed: a round is as many as were in flight
        self._pushes = 0  # and those that said "too many"
        self._fast = self._usual = 0.0

    @property
    def is_open(self) -> bool:
        """Return whether one more call may leave."""
        return self.in_flight < int(self.size)

    def pushed_back(self) -> None:
        """Count a reply that said "too many"."""
        self._pushes += 1
        # After a halving, twice the size was in flight: what of it is pushed back says nothing new.
        if self.size == self.most or self._since * 2 >= self.size or self._pushes >= self.size * 2:
            self._resize(self.size / 2)

    def returned(self, seconds: float) -> None:
        """Count a reply that took so many seconds."""
        self._fast += (seconds - self._fast) * (_FAST_WEIGHT if self._fast else 1.0)
        self._usual += (seconds - self._usual) * (_USUAL_WEIGHT if self._usual else 1.0)
        self._since += 1
        if self._since >= self.size:
            slow = self._fast > _SLOW * self._usual
            self._resize(self.size * _GENTLE if slow else self.size + 1)

    def _resize(self, size: float) -> None:
        self.size, self._since = min(float(self.most), max(1.0, size)), 0
        self._pushes = 0


class Breaker:
    """Counts tries that failed in a row; after ``give_up_after`` of them the endpoint rests, and one call tries it.

    An endpoint that has never answered, or fails after five rests, is given up.
    """

    def __init__(self, give_up_after: int, rest: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with an endpoint that is thought to work."""
        self._most, self._rest, self._clock = give_up_after, rest, clock
        self._in_a_row = self.rests = 0
        self._answered = False
        self._until = 0.0
        self._trying = False

    @property
    def waits(self) -> float:
        """Return the seconds until the next call may try, 0 where it may now, infinite while another is trying."""
        return float("inf") if self._trying else max(0.0, self._until - self._clock())

    @property
    def rests_for(self) -> float:
        """Return how long the present rest is, in seconds."""
        return self._rest * 2.0 ** (self.rests - 1)

    def left(self) -> None:
        """Count a call that leaves: while the endpoint is doubted, it is the only one."""
        self._trying = bool(self.rests)

    def back(self) -> None:
        """Count a call that came back, with or without an answer."""
        self._trying = False

    def worked(self) -> None:
        """Count an answer."""
        self._in_a_row = self.rests = 0
        self._answered = True

    def failed(self) -> bool:
        """Count a failed try; return whether the endpoint is to be given up."""
        self._in_a_row += 1
        if self._trying or self._in_a_row == self._most:
            if not self._answered or self.rests == _RESTS:
                return True
            self.rests += 1
            self._until = self._clock() + self.rests_for
        return False

    def pause(self, seconds: float) -> None:
        """Let no call leave for so many seconds, because the endpoint asks for it."""
        self._until = max(self._until, self._clock() + seconds)


def retry_after(header: str | None, now: Callable[[], float] = time.time) -> float | None:
    """Return the seconds that a Retry-After header asks for, in either of its forms; None where it says nothing."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now())
    except ValueError:
        return None
