"""Which training records and which pages stand nearest to an exam item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from med_small_lm.schemas.rows import Conversation, Link, Passage, Question

CELLS = 20_000_000
"""Most similarities that are held at once."""


def link(
    questions: Sequence[Question], conversations: Sequence[Conversation], passages: Sequence[Passage], k: int = 3
) -> list[Link]:
    """Returns, for each question, links to its ``k`` nearest training examples and to its ``k`` nearest passages.

    Near is the cosine of TF-IDF vectors of words and word pairs, between the item (stem and right answer) and the
    example (what user and assistant say) or the passage. Similarity is not proof of cause: a model may have answered
    from elsewhere, and a near record may have taught it nothing.

    A nearest example gives one link for each passage that it was made from, with the similarity of item and example;
    one that was made from no passage (general instructions) has no page to lead to and gives none. A nearest passage
    gives a link with an empty ``example_id``. Links of one question come together: examples first, the nearest first;
    equals in the order in which they were given. Nothing that shares no word with the item is linked.

    Raises:
        ValueError: ``k`` is less than 1, or an example names a passage that is not there.
    """
    if k < 1:
        raise ValueError(f"k is {k}, not 1 or more")
    by_id = {passage.passage_id: passage for passage in passages}
    sourced = [conversation for conversation in conversations if conversation.passage_ids]
    _check_passages(sourced, by_id)
    items = [item_text(question) for question in questions]
    examples = [conversation_text(conversation) for conversation in sourced]
    pages = [passage.text for passage in passages]
    if not items or not pages:
        return []
    vectors = _vectors(items, examples, pages)
    near_examples = top(vectors[0], vectors[1], k)
    near_pages = top(vectors[0], vectors[2], k)
    links = []
    for question, by_example, by_page in zip(questions, near_examples, near_pages, strict=True):
        for place, similarity in by_example:
            for passage_id in dict.fromkeys(sourced[place].passage_ids):
                links.append(_link(question, sourced[place].example_id, by_id[passage_id], similarity))
        links += [_link(question, "", passages[place], similarity) for place, similarity in by_page]
    return links


def item_text(question: Question) -> str:
    """Returns what an exam item is about: context, stem and the text of its right answer."""
    right = [option.text for option in question.options if option.key in question.answer_keys]
    return " ".join(part for part in (question.context, question.stem, *(right or [question.answer_text])) if part)


def conversation_text(conversation: Conversation) -> str:
    """Returns what user and assistant say; the system's message is the same everywhere."""
    return " ".join(message.content for message in conversation.messages if message.role != "system")


def top(rows: Any, columns: Any, k: int) -> Iterator[list[tuple[int, float]]]:
    """Yields, for each row, the ``k`` columns of the greatest cosine above 0, as (column, cosine), greatest first.

    Args:
        rows: sparse matrix [items, words], rows of length 1.
        columns: sparse matrix [documents, words], rows of length 1.
        k: most columns for a row.
    """
    count = columns.shape[0]
    step = max(1, CELLS // max(1, count))
    for start in range(0, rows.shape[0], step):
        part = (rows[start : start + step] @ columns.T).toarray() if count else np.zeros((min(step, rows.shape[0]), 0))
        for cosines in part:
            order = np.argsort(-cosines, kind="stable")[:k]
            yield [(int(place), min(1.0, float(cosines[place]))) for place in order if cosines[place] > 0]


def _vectors(*groups: list[str]) -> list[Any]:
    """TF-IDF vectors of each group of texts, over the words of all."""
    # Imported here because it takes seconds, which who only lists pipelines should not wait for.
    from sklearn.feature_extraction.text import TfidfVectorizer

    maker = TfidfVectorizer(
        lowercase=True, sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", dtype=np.float32
    )
    matrix = maker.fit_transform([text for group in groups for text in group])
    bounds = np.cumsum([0, *(len(group) for group in groups)])
    return [matrix[low:high] for low, high in zip(bounds[:-1], bounds[1:], strict=True)]


def _check_passages(conversations: Sequence[Conversation], by_id: dict[str, Passage]) -> None:
    for conversation in conversations:
        for passage_id in conversation.passage_ids:
            if passage_id not in by_id:
                raise ValueError(f"example {conversation.example_id} was made from {passage_id}, which is no passage")


def _link(question: Question, example_id: str, passage: Passage, similarity: float) -> Link:
    place = (passage.passage_id, passage.book, passage.page_first, passage.page_last)
    return Link(question.question_id, example_id, *place, similarity)
