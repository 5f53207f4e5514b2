"""The gates of questions that need no teacher: schema, format, options, language, support."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from med_small_lm.overlap.normalise import normalised, words
from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.schemas.rows import Option, Passage, Question, Quote, Verdict
from med_small_lm.synthesis.gates.options import canonical, clash
from med_small_lm.synthesis.gates.quoting import found_in
from med_small_lm.synthesis.gates.verdicts import POINTS_AWAY, same_language, verdict
from med_small_lm.synthesis.gates.word_forms import content

KINDS = ("single", "multi", "yes_no", "open", "progressive")
_ONE_KEY = ("single", "yes_no")


def question_schema(question: Question) -> Verdict:
    """Return whether a record is a question of its kind; the value is how many faults it has."""
    keys = [option.key for option in question.options]
    right = question.answer_keys
    closed = question.kind not in ("open", "progressive")
    faults = {
        f"kind {question.kind!r} is none of {', '.join(KINDS)}": question.kind not in KINDS,
        "no stem": not question.stem.strip(),
        "fewer than two options": closed and len(keys) < 2,
        "two options have one key": len(set(keys)) < len(keys),
        "a right answer is no option": not set(right) <= set(keys),
        f"{len(right)} right answers": len(right) != 1 if question.kind in _ONE_KEY else closed and not right,
        "no answer": question.kind == "open" and not question.answer_text.strip(),
        "the answer is not the right option's text": question.kind == "single" and not _says_key(question),
        "no passage": bool(question.call_id) and not question.passage_ids,
    }
    found = [fault for fault, holds in faults.items() if holds]
    return verdict("schema", not found, len(found), "; ".join(found))


def question_format(question: Question, params: QuestionGates) -> Verdict:
    """Return whether a stem has a fit length and stands on its own: it points at no passage, figure or table."""
    n_words = len(words(question.stem))
    if not params.stem_words_min <= n_words <= params.stem_words_max:
        bounds = f"{params.stem_words_min} to {params.stem_words_max}"
        return Verdict("format", "fail", n_words, f"the stem has {n_words} words, not {bounds}")
    away = POINTS_AWAY.search(question.stem)
    return verdict("format", away is None, n_words, f"the stem points at {away.group()!r}" if away else "")


def option_texts(question: Question, params: QuestionGates) -> Verdict:
    """Return whether the options are different things and the right one does not stand out by its length.

    The value is how many times longer or shorter the right option is than the wrong ones on the mean.
    """
    if question.kind in ("open", "yes_no"):
        return Verdict("options", "skip", 0.0, f"a question of kind {question.kind} has no options of its own")
    if fault := clash(question.options):
        return Verdict("options", "fail", 0.0, fault)
    if (longest := max((len(words(option.text)) for option in question.options), default=0)) > params.option_words_max:
        return Verdict("options", "fail", 0.0, f"an option has {longest} words, more than {params.option_words_max}")
    right = [len(option.text) for option in question.options if option.key in question.answer_keys]
    wrong = [len(option.text) for option in question.options if option.key not in question.answer_keys]
    share = sum(right) * len(wrong) / (sum(wrong) * len(right)) if right and wrong else 1.0
    ratio = max(share, 1 / share)
    reason = f"the right option is {ratio:.1f} times as long or short as the others"
    return verdict("options", ratio <= params.option_length_ratio, ratio, reason)


def question_language(question: Question, languages: Mapping[str, str]) -> Verdict:
    """Return whether a question is in the language of its passages; ``languages`` are theirs by id."""
    text = " ".join([question.context, question.stem, *(option.text for option in question.options)])
    return same_language(text, {languages[key] for key in question.passage_ids if key in languages})


def question_support(question: Question, passages: Mapping[str, Passage], params: QuestionGates) -> Verdict:
    """Return whether every quote stands in its passage and the answer in a quote; the value is the least share.

    Only the one right option of a question is looked for: yes or no stands in no quote, but the quote in the excerpt
    and the excerpt in the passage. Of propositions, each must have its quote.
    """
    if not question.quotes:
        return Verdict("support", "fail", 0.0, "no quote")
    least, fault = _standing(question.quotes, passages, params)
    if fault:
        return Verdict("support", "fail", least, fault)
    if question.kind == "yes_no":
        return _excerpt(question, passages, params)
    if question.kind in ("multi", "progressive"):
        fault = next((fault for option in question.options if (fault := _unsupported(question, option))), "")
        return verdict("support", not fault, least, fault)
    if question.kind != "single":
        return Verdict("support", "pass", least)
    told = set(canonical(" ".join(quote.text for quote in question.quotes)).split())
    answer = canonical(question.answer_text).split()
    held = sum(word in told for word in answer) / max(len(answer), 1)
    return verdict("support", held >= params.answer_in_quote, least, f"{held:.2f} of the answer stands in the quote")


def _standing(quotes: Sequence[Quote], passages: Mapping[str, Passage], params: QuestionGates) -> tuple[float, str]:
    """Return the least share of a quote that stands in its passage, and what is wrong with that quote."""
    least = 1.0
    for quote in quotes:
        passage = passages.get(quote.passage_id)
        if passage is None:
            return 0.0, f"no passage {quote.passage_id}"
        found = found_in(quote.text, passage.text)
        least = min(least, found.share)
        if found.share < params.quote_found:
            return found.share, f"{found.share:.2f} of the quote stands in the passage"
        if found.turned:
            return found.share, f"quote and passage differ in {', '.join(map(repr, found.turned))}"
    return least, ""


def _excerpt(question: Question, passages: Mapping[str, Passage], params: QuestionGates) -> Verdict:
    """Return whether the excerpt that a question is asked on stands in the passage and holds the quote."""
    quote = question.quotes[0]
    least, fault = _standing([replace(quote, text=question.context)], passages, params)
    found = found_in(quote.text, question.context)
    if not fault and (found.share < params.quote_found or found.turned):
        least, fault = found.share, "the quote does not stand in the excerpt"
    return verdict("support", not fault, least, fault)


def _unsupported(question: Question, option: Option) -> str:
    """Return why a proposition's quotes do not bear on it; empty if they do."""
    told = " ".join(quote.text for quote in question.quotes if quote.option == option.key)
    if not {*content(told)} & {*content(f"{option.text} {question.stem}")}:
        return f"the quote of {option.key} speaks of something else" if told else f"{option.key} has no quote"
    is_said = f" {normalised(option.text)} " in f" {normalised(told)} " and option.key not in question.answer_keys
    return f"the quote of {option.key} states what is called false" if is_said else ""


def _says_key(question: Question) -> bool:
    """Return whether the answer is the text of the option that the key names."""
    texts = [option.text for option in question.options if option.key in question.answer_keys]
    return any(canonical(text) == canonical(question.answer_text) for text in texts)
