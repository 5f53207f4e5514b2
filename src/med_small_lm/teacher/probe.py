"""A probe: what one endpoint can do, found out by nine short requests before a run depends on it.

GET  /models            key, model, context             POST json_schema ┐
GET  /batches           batch service                   POST json_object ├ does the reply fit?
POST with logprobs      log-probabilities               POST text        ┘
POST two prompts of known length, then a long one with a marker word at its start: is it cut without an error?
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from med_small_lm.errors import nearest
from med_small_lm.params.teacher import BUILTIN, TeacherParams
from med_small_lm.schemas.rows import Message
from med_small_lm.teacher.connection import connect, redacted, run_through, spelt_for
from med_small_lm.teacher.endpoints import REDIRECTED
from med_small_lm.teacher.forms import FORMS, with_form
from med_small_lm.teacher.replies import outcome, response_text, tokens_of
from med_small_lm.teacher.requests import OK, TeacherError, message_dicts

if TYPE_CHECKING:
    from openai import AsyncOpenAI

REQUESTS = 9
LETTERS = 20_000
"""Letters of the long prompt where the caller names none."""

_KEY, _MODEL = {401, 403}, 404
_CONTEXT = (
    ("max_model_len",),  # vLLM, SGLang
    ("context_length",),  # OpenRouter, Together
    ("context_window",),  # Groq
    ("max_context_length",),  # LM Studio, Mistral
    ("meta", "n_ctx"),  # llama.cpp, what it serves
    ("meta", "n_ctx_train"),  # llama.cpp, what the model was trained on: the server may serve less
)
_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["organ"],
    "properties": {"organ": {"type": "string"}},
}
_QUESTION = "Which organ pumps the blood?"
_FILLER = "The blood goes through the lungs and comes back to the heart. "
_SHORT, _LONGER = 500, 2_500  # letters of filler from which the tokens of the long prompt are foretold
_WHOLE = 0.9  # share of the foretold tokens from which a prompt counts as whole
_CURE = (
    "the server's context is too small: start Ollama with a larger OLLAMA_CONTEXT_LENGTH (or set num_ctx in the "
    "model's Modelfile), vLLM with a larger --max-model-len, llama.cpp with a larger --ctx-size; or ask for less"
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a probe found; None means that it could not be found out.

    ``problem`` says why nothing can be asked, and is empty where something can. ``forms`` has, for each form of reply,
    what is wrong with it (empty if nothing). ``foretold`` and ``counted`` are the long prompt's tokens: as shorter
    prompts let expect, and as the server counted them. ``marker``: was the word at its start found? None where the
    model does not find it in a short one either.
    """

    url: str
    model: str
    with_key: bool
    problem: str = ""
    models: tuple[str, ...] | None = None
    context: int | None = None
    forms: Mapping[str, str] | None = None
    letters: int = 0
    refused: str = ""
    foretold: int | None = None
    counted: int | None = None
    marker: bool | None = None
    logprobs: bool | None = None
    batches: bool | None = None

    @property
    def form(self) -> str | None:
        """Return the strictest form of reply that works, None where none does."""
        return next((form for form in FORMS if (self.forms or {}).get(form) == ""), None)

    @property
    def usable(self) -> bool:
        """Return whether a run can work with the endpoint as it is."""
        return not self.problem and self.form is not None and not self.refused and not self.truncated

    @property
    def truncated(self) -> bool | None:
        """Return whether the long prompt was cut without an error.

        The server's count decides. Where it counts nothing, a lost marker word does.
        """
        if self.refused:
            return False
        if self.foretold and self.counted:
            return self.counted < _WHOLE * self.foretold
        return None if self.marker is None else not self.marker

    def lines(self) -> Iterator[str]:
        """Yield what was found, a line each."""
        yield f"{self.url}, model {self.model}"
        if self.problem:
            yield f"  {self.problem}"
            return
        yield f"  reached, {'key accepted' if self.with_key else 'without a key'}"
        yield f"  model             {self._model()}"
        for form, fault in (self.forms or {}).items():
            yield f"  {form:<17} {fault or 'taken, and the reply fits'}"
        yield f"  context           {f'{self.context:,} tokens, says the server' if self.context else 'unknown'}"
        yield f"  long prompt       {self._long_prompt()}"
        yield f"  log-probabilities {_said(self.logprobs, 'given')}"
        yield f"  batch service     {_said(self.batches, 'there')}"
        yield f"  => structured: {self.form or 'none of the forms works: another model is needed'}"

    def _model(self) -> str:
        if self.models is None:
            return "answers; the endpoint lists no models"
        others = len(set(self.models) - {self.model})
        return f"listed, with {others} others" if self.model in self.models else "answers, though it is not listed"

    def _long_prompt(self) -> str:
        size = f"{self.letters:,} letters"
        if self.refused:
            return f"{size} are refused, and not cut in silence: {self.refused}"
        if self.truncated is None:
            return f"{size}: not found out"
        if self.truncated:
            counted = f" to {self.counted:,} of about {self.foretold:,} tokens" if self.foretold else ""
            return f"{size} are CUT{counted} without an error: {_CURE}"
        counted = f" ({self.counted:,} tokens)" if self.counted else ""
        missed = ", but the model does not find the word at its start: is it weak on long prompts?"
        return f"{size} arrive whole{counted}{missed if self.marker is False else ''}"


def probe(params: TeacherParams, url: str, key: str | None, letters: int = LETTERS) -> Findings:
    """Return what the endpoint at ``url``, one of ``params.base_url``, can do for ``params.model``.

    It sends ``REQUESTS`` short requests with the sampling parameters of a run; one prompt has ``letters`` letters.

    Raises:
        TeacherError: The model is the built-in teacher, or the key cannot be one.
    """
    if params.model == BUILTIN:
        raise TeacherError("the teacher is builtin: rules in this program, and no endpoint to probe")
    return run_through(_Probe(params, url, key).run(letters))


class _Refused(Exception):
    """A request that was not answered well: the HTTP status, 0 where there was none, and one line that says why."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class _Probe:
    """The requests of one probe."""

    def __init__(self, params: TeacherParams, url: str, key: str | None) -> None:
        self._params, self._url, self._key = params, url, key
        self._client: AsyncOpenAI = connect(params, url, key)

    async def run(self, letters: int) -> Findings:
        """Return all findings, or those up to what makes the others pointless."""
        found = Findings(self._url, self._params.model, bool(self._key), letters=letters)
        try:
            found = await self._look_up(found)
            found = replace(found, forms={form: await self._form(form) for form in FORMS})
            found = await self._measure(found)
            return replace(found, logprobs=await self._logprobs(), batches=await self._batches())
        except _Refused as refusal:
            return replace(found, problem=self._explained(refusal, found.models))
        finally:
            await self._client.close()

    async def _look_up(self, found: Findings) -> Findings:
        """Return the findings with the models that the endpoint lists, if it does."""
        try:
            listed = (await self._send("/models")).get("data")
        except _Refused as refusal:
            if refusal.status == 401 or refusal.status < 400:
                raise
            return found  # no list, or not for this key: the calls will tell
        entries = [one for one in listed or () if isinstance(one, dict) and "id" in one]
        own = next((one for one in entries if one["id"] == found.model), {})
        return replace(found, models=tuple(str(one["id"]) for one in entries), context=_context(own))

    async def _form(self, form: Any) -> str:
        """Return what is wrong with the reply where ``form`` is asked for, empty if nothing.

        Raises:
            _Refused: Not the form is refused but every call.
        """
        try:
            response = await self._chat(_QUESTION, form)
        except _Refused as refusal:
            if form == FORMS[-1] or refusal.status in (401, 402, 429) or not 400 <= refusal.status < 500:
                raise
            return f"refused: {refusal}"
        status, reason = outcome(response, _SCHEMA)
        return "" if status == OK else f"taken, but the reply does not fit: {reason}"

    async def _measure(self, found: Findings) -> Findings:
        """Return the findings with what became of a long prompt."""
        short, _ = await self._marked(_SHORT)
        longer, able = await self._marked(_LONGER)
        foretold = None
        if short and longer:
            foretold = round(short + (longer - short) * (found.letters - _SHORT) / (_LONGER - _SHORT))
        try:
            counted, marker = await self._marked(found.letters)
        except _Refused as refusal:
            if refusal.status not in (400, 413, 422):
                raise
            return replace(found, foretold=foretold, refused=str(refusal))
        return replace(found, foretold=foretold, counted=counted, marker=marker if able else None)

    async def _marked(self, letters: int) -> tuple[int | None, bool]:
        """Return the tokens that the server counts in a prompt, and whether the model finds the word at its start."""
        word = f"MARKER{letters}"  # another one for each prompt: a server counts no tokens that it finds in its cache
        text = (_FILLER * (letters // len(_FILLER) + 1))[:letters]
        asked = f"The first word is {word}.\n{text}\nWhat is the first word? Reply with it alone."
        response = await self._chat(asked, None)
        return tokens_of(response).get("prompt_tokens"), word.casefold() in response_text(response).casefold()

    async def _logprobs(self) -> bool:
        """Return whether log-probabilities are given."""
        try:
            response = await self._chat(_QUESTION, None, logprobs=True)
        except _Refused:
            return False
        return bool((response["choices"][0].get("logprobs") or {}).get("content"))

    async def _batches(self) -> bool:
        """Return whether there is a batch service."""
        try:
            return isinstance((await self._send("/batches?limit=1")).get("data"), list)
        except _Refused:
            return False

    async def _chat(self, asked: str, form: Any, **more: Any) -> dict[str, Any]:
        messages = message_dicts([Message("user", asked)])
        body = {"model": self._params.model, "messages": messages, **self._params.sampling(), **more}
        body = spelt_for(self._url, with_form(body, "probe", _SCHEMA if form else None, form or FORMS[-1]))
        response = await self._send("/chat/completions", body)
        if not response.get("choices"):
            raise _Refused(0, "the response is no chat completion")
        return response

    async def _send(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the parsed response to one request.

        Raises:
            _Refused: There is none that can be used.
        """
        import httpx2
        import openai

        try:
            if body is None:
                call = self._client.get(path, cast_to=httpx2.Response)
            else:
                call = self._client.post(path, cast_to=httpx2.Response, body=body)
            raw = await asyncio.wait_for(call, self._params.timeout)
            response = json.loads(raw.content)
        except openai.APIStatusError as error:
            raise self._refused(error.status_code, f"HTTP {error.status_code}: {error.message}") from None
        except (openai.APITimeoutError, TimeoutError):
            raise _Refused(0, f"no reply within {self._params.timeout:g} s") from None
        except (openai.APIError, httpx2.HTTPError) as error:
            raise self._refused(0, f"not reached: {error.__cause__ or error}") from None
        except ValueError:
            raise _Refused(0, "the response is no JSON") from None
        if not isinstance(response, dict):
            raise _Refused(0, "the response is no JSON object")
        return response

    def _refused(self, status: int, said: str) -> _Refused:
        return _Refused(status, " ".join(redacted(said, self._key).split())[:300])

    def _explained(self, refusal: _Refused, models: Sequence[str] | None) -> str:
        """Return why nothing can be asked, with the cure where one is known."""
        if refusal.status in _KEY and not self._key:
            return f"a key is wanted: teacher: {{api_key: ...}} in conf/local/credentials.yml ({refusal})"
        if refusal.status in _KEY:
            return f"the key is refused ({refusal})"
        if 300 <= refusal.status < 400:
            return f"HTTP {refusal.status}: {REDIRECTED}"
        model = self._params.model
        if models is not None and model not in models:
            return f"there is no model {model}{nearest(model, models)}; there are: {', '.join(models[:20])} ({refusal})"
        if refusal.status == _MODEL:
            return f"no such model or path: does base_url end with /v1? ({refusal})"
        return str(refusal)


def _context(entry: Mapping[str, Any]) -> int | None:
    """Return the context's length in tokens that a model's entry names."""
    for path in _CONTEXT:
        value: Any = entry
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, int) and value > 0:
            return value
    return None


def _said(found: bool | None, word: str) -> str:
    return "unknown" if found is None else word if found else f"not {word}"
