"""The card of an exported model: whence it comes, how good it is, how it is used, and what it must not be used for."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import yaml

from med_small_lm.answers.forms import Form
from med_small_lm.markdown import table
from med_small_lm.params.knowledge_injection import TINY
from med_small_lm.schemas.rows import Message
from med_small_lm.tuning.cards import PURPOSE, model_head
from med_small_lm.tuning.checkpoint import Manifest
from med_small_lm.tuning.export.evidence import Evidence, belonging, contamination, data, perplexities, public, scores
from med_small_lm.tuning.model_card import terms

QUESTION = "What is the cause of scurvy?"
"""The example where the model has no dev question."""
PLACE = "path/to/this/folder"

USE = """\
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer, model = (kind.from_pretrained("{place}") for kind in (AutoTokenizer, AutoModelForCausalLM))
asked = tokenizer.apply_chat_template({messages}, add_generation_prompt=True, return_dict=True, return_tensors="pt")
reply = model.generate(**asked, max_new_tokens={most})[0, asked["input_ids"].shape[1]:]
print(tokenizer.decode(reply, skip_special_tokens=True))
"""
SERVE = """\
transformers serve {place}    # pip install "transformers[serving]>=5.17"
vllm serve {place}            # in an environment of its own, where vLLM is installed
"""


def hub_card(chain: Sequence[Manifest], evidence: Evidence, form: Form, most: int, version: str) -> str:
    """Returns the README of an exported model.

    Args:
        chain: the manifests of the base model, of what was made of it, and at last of the model itself.
        evidence: the run's records.
        form: how the model is asked for a reply.
        most: the longest reply, in tokens, that it was asked for when it was scored.
        version: the project's version.
    """
    source, on_hub = _source(chain[0])
    told = {"base_model": source} if on_hub else {}
    chain = [public(one) for one in chain]
    own, evidence = chain[-1], belonging(evidence, chain)
    compared = [chain[0].name, own.name] if len(chain) > 1 else [own.name]
    lines = [
        *model_head(own.licences, **told),
        f"# {own.name}", "",
        f"A small medical language model, made by med-small-lm {version} from textbooks"
        f"{f' and {source}' if source else ''}. {PURPOSE}", "",
        "## Intended use and limits", "",
        *_limits(source), "",
        "## Use", "",
        *_use(_asked(evidence, form), most),
        "## Scores", "",
        *scores(evidence, compared),
        *perplexities(evidence, [one.name for one in chain]),
        "## Data", "",
        *data(evidence, chain),
        "## Contamination", "",
        "Before training, gates stop records that hold what an exam asks, or come near to it. They do not stop the"
        " books' own text, which is what the model is to learn from, and cannot see what a base model has read before.",
        "",
        *contamination(evidence),
        "## Licences of what it was trained on", "",
        *terms(own.licences),
        "## How it was made", "",
        *_making(chain),
    ]  # fmt: skip
    return "\n".join(lines)


def _source(base: Manifest) -> tuple[str, bool]:
    """The model that the base was taken from, empty where it was made anew; and whether the hub has it."""
    source = str(public(base).parameters.get("source", ""))
    return ("", False) if source == TINY else (source, bool(source) and base.data.get("source") == source)


def _limits(source: str) -> list[str]:
    before = "what its base model knew, " if source else ""
    return [
        "- For: research on how a model learns from books, and tests of software that serves models.",
        "- Not for: diagnosis, treatment, or any advice to a patient or about one. It is no medical device.",
        f"- It knows {before}what stands in the books below, and nothing newer.",
        "- It states what is false as fluently as what is true. An exam's score is no measure of clinical ability.",
        "- Asked in another form than it was taught (see Use), it does worse.",
    ]


def _asked(evidence: Evidence, form: Form) -> list[Message]:
    """The messages of the example: a dev question as it stands in the model's data, or any where there is none."""
    prompts = set(evidence.dev_prompts)
    for one in evidence.conversations:
        if one.method == form.name and len(one.messages) in (2, 3):
            *turns, _ = one.messages
            if turns[-1].role == "user" and " ".join(turns[-1].content.split()) in prompts:
                return turns
    return [Message("system", form.instruction)] * bool(form.instruction) + [Message("user", QUESTION)]


def _use(turns: Sequence[Message], most: int) -> list[str]:
    """How it is loaded and served: the messages are those that it was taught with."""
    messages = json.dumps([{"role": turn.role, "content": turn.content} for turn in turns])
    code = USE.format(place=PLACE, messages=messages, most=most)
    said = (
        "With transformers 5.17 or newer; the likeliest reply (greedy), as it was scored, unless it is told otherwise."
        " Or from a server that speaks the OpenAI protocol, which is to be asked with `temperature: 0`:"
    )
    return [said, "", "```python", code + "```", "", "```", SERVE.format(place=PLACE) + "```", ""]


def _making(chain: Sequence[Manifest]) -> list[str]:
    """A line a stage, then all parameters."""
    head = ["model", "fingerprint", "made from", "tokens", "steps", "final loss", "code version"]
    rows = [
        [one.name, f"`{one.fingerprint}`", ", ".join(one.parents), f"{one.tokens_seen:,}", f"{one.steps:,}",
         "" if math.isnan(one.final_loss) else f"{one.final_loss:.3f}", f"`{one.code_version}`"]
        for one in chain
    ]  # fmt: skip
    parameters: dict[str, Any] = {one.name: json.loads(json.dumps(one.parameters, default=str)) for one in chain}
    return [
        table(head, rows), "",
        "Tokens, steps and loss (nats a token) are a stage's own. `manifest.json` has the digests of the data.",
        "Its parameters, and those of its parents:", "",
        "```yaml", yaml.safe_dump(parameters, sort_keys=False).rstrip(), "```", "",
    ]  # fmt: skip
