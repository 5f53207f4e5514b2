"""Labels of questions, options and keys: what ``12.``, ``(b)`` and ``Answer: C`` say in a line of text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from unicodedata import normalize

LETTERS = "ABCDEFGHIJ"
# A question's number: "12. ", "(12) ", "3.4) ", "Q12: ", "12 Which", or "Question 12" alone in its line.
NUMBER = re.compile(
    r"(?:(?:question|item)\s+#?|q\.?\s?)?[(\[]?(\d{1,3}(?:[.-]\d{1,3})?)(?:[.):\]]+\s+(?=\S)|\s+(?=(?-i:[A-Z_“\"])))"
    r"|(?:question|q\.?)\s?#?(\d{1,3}(?:[.-]\d{1,3})?)[.):]*\s*(?!\S)",
    re.IGNORECASE,
)
# An answer told on the spot: "Answer: C", "(Ans. b)", "the correct answers are A, C", "Key – true".
ANSWER = re.compile(
    r"(?:^|(?<=\s))(?:(?:the|correct|right|best)\s+)*(?:answers?|ans|key)\b\.?(?:\s+(?:is|are)\b)?\s*[.:=–-]?\s*"
    r"(?P<open>[(\[])?(?P<value>(?-i:[A-J](?!\w)|[a-j](?=[.,;:)\]–-]|\s*$|\s+[A-Z]))(?:\s?(?:,|and|&|/)\s?[A-J](?!\w))*|true\b|false\b)"
    r"(?=[\s.,;:)\]–-]|$)",
    re.IGNORECASE,
)
# An answer in words, in a line of its own: "Correct answer: the heart".
_WORDED = re.compile(
    r"^(?:(?:correct|right|best)\s+)?(?:answer|ans)\s*[.:]\s*(?P<value>\S.*)$", re.IGNORECASE | re.MULTILINE
)
EXPLAINED = re.compile(r"(?:explanation|rationale|feedback|discussion|comment(?:ary)?)s?\s*[.:–-]", re.IGNORECASE)
# An option's letter: "A. ", "b: ", "(c)", "[D] ".
OPTION = re.compile(r"[(\[]?([A-Ja-j])(?:[.:]\s|\.?[)\]]\s*)(?=\S)")
# The styles of letters inside a text; one list of options keeps to one of them.
_STYLES = (r"\({}\)", r"\[{}\]", r"{}\)", r"{}\.\)", r"{}\.(?=\s)", r"{}:(?=\s)")
_MARKS = [
    (
        re.compile(rf"(?:(?<=^)|(?<=[\s|])){style.format(f'([{letters}])')}\s*", re.MULTILINE),
        letters,
        " " + style.replace(r"(?=\s)", "").replace("\\", "").format(letters[1]),  # no two options without it
    )
    for style in _STYLES
    for letters in (LETTERS, LETTERS.lower())
]
_SECOND = re.compile(r"[\s(\[][Bb][.:)\]]")  # what every style of a second option has in it
_ASKS = re.compile(r"(?:\?[\"”’)\]]*|_{2,}\W*|\b(?:except|not|following|that apply)\W*)$", re.IGNORECASE)
_CHOOSES = re.compile(
    r"\b(?:which (?:one )?of (?:the following|these)|all of the following|except)\b|_{3,}", re.IGNORECASE
)
# One entry of a key: "12. B", "(3) c", "4 = A, C", "5-T"; a letter that begins a word is none.
_VALUE = r"(?:[A-J]{2,6}|[A-Ja-j](?:\s?(?:,|and|&|/)\s?[A-Ja-j](?!\w))*|true|True|TRUE|false|False|FALSE|T|F)"
_ENTRY = re.compile(
    r"(?<![\w.])[(\[]?(?P<number>\d{1,3}(?:[.-]\d{1,3})?)(?P<point>\s?[.):\]=|–—-]*\s*[(\[]?)"
    rf"(?P<value>{_VALUE})(?P<end>[)\]]?(?=\s*(?:[.;,:|–—-]|$)|\s+[\d(\[]|\s+(?=[A-Z])))"
)
_KEY_BEGINS = re.compile(r"[(\[]?\d{1,3}[^a-zA-Z]{0,4}(?:\d|[A-Ja-jTF]\b|[A-J]{2,6}\b|true|false)", re.IGNORECASE)
# Keys set as rows: "1 2 3 B A C" in one line, or numbers in one row of a table and letters in the next.
_ROWS = re.compile(r"(?P<numbers>\d{1,3}(?:[\s|,]+\d{1,3})+)[\s|,]+(?P<values>[A-Ja-j](?:[\s|,]+[A-Ja-j])+)\s*")
_NUMBER_ROW = re.compile(r"(?:\D*\|)?\s*(\d{1,3}(?:[\s|,]+\d{1,3})+)[\s|]*")
_LETTER_ROW = re.compile(r"(?:[^|]*\w{2}[^|]*\|)?\s*([A-Ja-j](?:[\s|,]+[A-Ja-j])+)[\s|]*")
# A key to options that are counted: "1. 3 2. 1 3. 2, 4", or one entry with what is said of it, "1. 3. Because …".
_COUNTED = re.compile(
    r"(?P<number>\d{1,3})(?:[.):]|\s\|)\s+(?P<value>\d(?:\s?(?:,|and|&)\s?\d(?![.):]))*)[;,.]?(?:\s+|$)"
)
_NO_LETTER = re.compile(r"[\W_]+")
_BARE_GAP = re.compile(r"[\s;,.|]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a key says of a question: its number, and letters as written (``B``, ``A, C``, ``T``) or a text."""

    number: str
    value: str


def squeeze(text: str) -> str:
    """The text's letters and digits, folded."""
    return _NO_LETTER.sub("", normalize("NFKC", text).casefold())


def number_of(text: str) -> str:
    """The number that a question's text begins with, or an empty string."""
    found = NUMBER.match(text)
    return (found.group(1) or found.group(2)).replace("-", ".") if found else ""


def letter_of(text: str) -> str:
    """The capital letter of the option that the text begins with, or an empty string."""
    found = OPTION.match(text)
    return found.group(1).upper() if found else ""


def asks(stem: str) -> bool:
    """Whether a text ends as the stem of a question does: with a question mark, a blank, or ``EXCEPT``."""
    return _ASKS.search(stem.rstrip(" :.")) is not None


def chooses(stem: str) -> bool:
    """Whether a stem says itself that options follow."""
    return _CHOOSES.search(stem) is not None


def may_offer(text: str) -> bool:
    """Whether a text has what could label a second option; without it there are none, and this is quick to say."""
    return _SECOND.search(text) is not None


def split_options(lines: list[str]) -> tuple[str, list[str]]:
    """The stem and the options' texts in the order of their letters; no options where no labels from A on are found.

    Options may stand on lines of their own, in one line, or in rows or columns of two and more.
    """
    text = "\n".join(lines)
    flat = text.replace("\n", " ")
    if not may_offer(flat):
        return _one_line(text), []
    chains = [found for mark, letters, second in _MARKS if second in flat and (found := _chain(text, mark, letters))]
    if not chains:
        return _one_line(text), []
    chain = max(chains, key=len)
    ordered = sorted(chain, key=lambda found: found.start())
    ends = {one.start(): other.start() for one, other in zip(ordered, ordered[1:], strict=False)}
    texts = [_option(text, found.end(), ends.get(found.start())) for found in chain]
    return _one_line(text[: ordered[0].start()]), texts


def _chain(text: str, mark: re.Pattern[str], letters: str) -> list[re.Match[str]]:
    """The labels A, B, C, … of one style, by letter. A line's beginning counts more than a place inside it."""
    found = list(mark.finditer(text))
    best: list[re.Match[str]] = []
    for first in (one for one in found if one.group(1) == letters[0]):
        chain = [first]
        for letter in letters[1:]:
            fits = [x for x in found if x.group(1) == letter and x.start() > first.start()]
            ahead = [x for x in fits if x.start() > chain[-1].end() and text[chain[-1].end() : x.start()].strip(" |\n")]
            starts = [x for x in fits if _begins_line(text, x)]
            columns = (
                " | " in text or sum(_begins_line(text, x) for x in chain) > 1
            )  # A and C in one line, B and D in the next
            if not (chosen := starts or ahead or fits * columns):
                break
            chain.append(chosen[0])
        best = max(best, _without_strays(text, chain), key=len)
    return best if len(best) > 2 or all(_begins_line(text, x) for x in best[:2]) or _true_false(text, best) else []


def _without_strays(text: str, chain: list[re.Match[str]]) -> list[re.Match[str]]:
    """The chain without a last label inside a line where all others begin one: ``D. Infection with E. coli``."""
    inside = [index for index, x in enumerate(chain) if not _begins_line(text, x)]
    stray = len(chain) > 2 and inside == [len(chain) - 1]
    return chain[:-1] if stray else chain if len(chain) > 1 else []


def _true_false(text: str, chain: list[re.Match[str]]) -> bool:
    return len(chain) == 2 and re.match(r"(?:true|false|yes|no)\b", text[chain[0].end() :], re.IGNORECASE) is not None


def _begins_line(text: str, found: re.Match[str]) -> bool:
    return found.start() == 0 or text[found.start() - 1] == "\n"


def _option(text: str, start: int, end: int | None) -> str:
    """An option's text. The last one takes in a further line only if that goes on with a small letter."""
    if end is not None:
        return _one_line(text[start:end])
    first, *more = text[start:].split("\n")
    for line in more:
        if not line[:1].islower():
            break
        first += f" {line}"
    return _one_line(first)


def _one_line(text: str) -> str:
    return " ".join(text.replace(" | ", " ").split()).strip("| ")


def given_answer(text: str) -> tuple[str, str]:
    """The text before an answer that is given on the spot (``Answer: C``), and the answer's letters or words."""
    found = next((x for x in ANSWER.finditer(text) if _spelt_out(x)), None) or _WORDED.search(text)
    return (text[: found.start()].rstrip(), found["value"]) if found else (text, "")


def _spelt_out(found: re.Match[str]) -> bool:
    """``Answer: C`` or ``the answer is C``, not ``answer a call``."""
    return (
        bool(found["open"])
        or found["value"][0].isupper()
        or re.search(r"[.:=]\s*\S+$|\bis\b", found.group()) is not None
    )


def is_key(text: str) -> bool:
    """Whether a text is nothing but a key: three entries or more, their numbers one after the other."""
    if not _KEY_BEGINS.match(text):
        return False
    if _ROWS.fullmatch(text):
        return True
    entries = list(_ENTRY.finditer(text))
    if len(entries) < 3 or entries[0].start() > 0:
        return False
    gaps = [text[a.end() : b.start()] for a, b in zip(entries, entries[1:], strict=False)]
    numbers = [int(re.split("[.-]", entry["number"])[-1]) for entry in entries]
    rises = all(a < b for a, b in zip(numbers, numbers[1:], strict=False))
    return rises and all(_BARE_GAP.fullmatch(gap) for gap in [*gaps, text[entries[-1].end() :]])


def join_rows(lines: Iterable[str]) -> list[str]:
    """The lines of a key, a row of numbers and the row of letters below it as one."""
    joined: list[str] = []
    for line in lines:
        numbers = _NUMBER_ROW.fullmatch(joined[-1]) if joined else None
        letters = _LETTER_ROW.fullmatch(line) if numbers else None
        if numbers and letters:
            joined[-1] = f"{numbers.group(1)} {letters.group(1)}"
        else:
            joined.append(line)
    return joined


def key_entries(text: str) -> Iterator[tuple[str, Answer]]:
    """The answers that a line of a key gives, each with the text that stands before it if it is the first.

    Inside an explanation only entries count that go on with the first one's number and style.
    """
    if rows := _ROWS.fullmatch(text):
        numbers, values = re.findall(r"\d+", rows["numbers"]), re.findall("[A-Ja-j]", rows["values"])
        if len(numbers) == len(values):
            yield from (("", Answer(*pair)) for pair in zip(numbers, values, strict=True))
        return
    entries = list(_ENTRY.finditer(text))
    body = text[entries[0].start() :] if entries else ""
    if entries and (is_key(body) or entries[0].start() == 0 or _bare(body)):
        bare = _bare(body)
        before: re.Match[str] | None = None
        for entry in entries:
            if before is None or bare or _goes_on(before, entry):
                prefix = "" if before else text[: entry.start()].strip()
                yield prefix, Answer(entry["number"].replace("-", "."), entry["value"])
                before = entry
    elif counted := _counted(text):
        yield from (("", answer) for answer in counted)
    elif found := NUMBER.match(text):
        yield "", Answer(number_of(text), text[found.end() :].strip())


def _counted(text: str) -> list[Answer]:
    """The answers of a line that is nothing but a key to counted options."""
    found = list(_COUNTED.finditer(text))
    return [Answer(x["number"], x["value"]) for x in found] if not _COUNTED.sub("", text) else []


def _bare(text: str) -> bool:
    entries = list(_ENTRY.finditer(text))
    gaps = [text[a.end() : b.start()] for a, b in zip(entries, entries[1:], strict=False)]
    return all(_BARE_GAP.fullmatch(gap) for gap in [*gaps, text[entries[-1].end() :]])


def _goes_on(before: re.Match[str], entry: re.Match[str]) -> bool:
    style = before["point"].strip() == entry["point"].strip() and before["end"] == entry["end"]
    last, this = (re.split("[.-]", found["number"]) for found in (before, entry))
    return style and last[:-1] == this[:-1] and int(this[-1]) == int(last[-1]) + 1
