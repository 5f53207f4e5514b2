"""More replies: what a reader that fits the table of 150 alone gets wrong."""

from __future__ import annotations

from .replies import ASKED, BONES, GERMS, HOLDS, LOWERING, OPEN, SIGNES, Case, Shape, _shape

DENIED = _shape("multi", "L'ictère n'est pas présent", "Le foie est gros", "La rate n'est jamais palpable")
NEGATIONS = _shape("single", "The gene is not expressed", "It is unlikely to recur", "Surgery isn't needed", "Rest")
BLOOD = _shape("multi", "B", "C", "D", "E")
CELLS = _shape("single", "nerves", "A cells", "cells")
SALTS = _shape("multi", "insulin", "Not a hormone", "metformin; gliclazide", "No effect")


def _all(group: str, shape: Shape, state: str, keys: str, *texts: str) -> list[Case]:
    return [Case(group, shape, text, state, keys) for text in texts]


MORE_CASES = [
    *_all(
        "adverbs", BONES, "parsed", "B",
        "The answer is most likely B.", "The answer is likely (B).", "The answer is clearly B.",
        "The answer is indeed B.", "The answer is therefore B.", "The answer is probably (B) stapes.",
        "The answer is B. The answer is supported by its weight.", "The answer is B. The answer is based on its size.",
        "Answer: B\n\nExplanation: The answer is supported by its weight of 3 mg.", "Answer: I think B",
        "The answer is B. Vitamin A and the malleus have nothing to do with it.",
        "The answer is (B), rich in vitamin A.",
        "The answer is B, as A and C are larger.", "The answer is B, not A.", "The answer is B rather than C.",
        "The answer is B. A is larger.", "Answer: B\n\nA. Malleus is larger.\nC. Incus is larger.",
    ),
    *_all("negations", DENIED, "parsed", "AB", "A. L'ictère n'est pas présent\nB. Le foie est gros",
          "(A) L'ictère n'est pas présent, (B) Le foie est gros", "A: L'ictère n'est pas présent\nB: Le foie est gros"),
    *_all("negations", NEGATIONS, "parsed", "A", "A: The gene is not expressed", "A. The gene is not expressed",
          "(A) The gene is not expressed", "The answer is (A) The gene is not expressed."),
    *_all("negations", NEGATIONS, "parsed", "C", "C) Surgery isn't needed", "Answer: C. Surgery isn't needed"),
    *_all("negations", SALTS, "parsed", "BD", "B. Not a hormone\nD. No effect",
          "Answers: B. Not a hormone, D. No effect"),
    *_all("negations", LOWERING, "ambiguous", "", "A. insulin\nB. an unknown salt\nC. metformin",
          "Answer:\nA. insulin\nB. an unknown salt\nC. metformin", "Answer: A. insulin\nC. metformin\nD. a salt"),
    *_all("several", LOWERING, "parsed", "C", "Answer: C\nA: it is high.\nB: it is low.",
          "Answer: C\n\nA. It is high."),
    *_all("negations", BONES, "ambiguous", "", "A: malleus is wrong", "Answer: A is wrong."),
    *_all(
        "several", LOWERING, "parsed", "AC",
        "The answers are A and C. They lower glucose.", "Answer: A, C. Explanation: both lower glucose.",
        "A, C (both lower glucose)", "Right answers: A, C. Wrong answers: B, D, E.", "(A)(C)", "The answer is (A)(C).",
        "A and C, not B.", "The answers are (A) insulin and (C) metformin. Both lower glucose.",
    ),
    *_all(
        "several", LOWERING, "parsed", "ACE",
        "The correct answers are A, C and E. Glucagon raises it.", "ACE.", "A, C, E.", "(A) (C) (E)",
    ),
    *_all("several", LOWERING, "parsed", "C", "The answer is C. It lowers glucose.", "Only C", "The answer is only C."),
    *_all(
        "several", LOWERING, "ambiguous", "",
        "The answer is A. The answer is C.", "The answers are A and C. Also E.", "The answers are A, C but also E.",
        "The answers are A and C?", "Wrong answers: B, D.", "Answer: A, C are wrong",
    ),
    *_all("several", BLOOD, "ambiguous", "", "The answers are B and C. They are frequent.", "B, C"),
    *_all("several", SIGNES, "ambiguous", "", "Les mauvaises réponses sont B, D, E"),
    *_all(
        "headings", BONES, "parsed", "B",
        "### Reasoning:\nThe stapes is smallest.\nThe answer is (B) stapes.",
        "## Reasoning\nIt is small.\n## Conclusion\nThe answer is B.", "# Thinking\nhm\n\n**Answer:** B",
        "## Thinking\nThe answer is A?\n\n## Conclusion\nThe answer is B.", "You may [think] of A. The answer is B.",
        "## Thinking\nA.\n### Step two\nC.\n## Answer: B",
    ),
    *_all("headings", BONES, "truncated", "", "## Thinking\nA.\n### Step two\nIt is B.", "[think]\nThe answer is B."),
    *_all(
        "denied", BONES, "ambiguous", "",
        "Wrong answer: A", "The wrong answer is A.", "An incorrect answer: A", "Student's answer: A",
        "It would be wrong to say the answer is A.", "Option: A is wrong", "The answer is A is false.",
        "I don't think the answer is B.", "It is unlikely that the answer is B.", "I doubt the answer is B.",
        "If the patient were older, the answer is C.", "One might think that the answer is A.",
    ),
    *_all(
        "denied", BONES, "parsed", "B",
        "The student's answer is A. The correct answer is B.", "I don't think A is right, so the answer is B.",
        "Wrong answer: A. Right answer: B.", "The answer is B. It would be wrong to say that option C is correct.",
    ),
    *_all(
        "second key", BONES, "ambiguous", "",
        "The answer is (A)(B)", "The answer is A; B", "The answer is A\nB", "The answer is A. B.",
        "The answer is A, possibly B", "The answer is A as well as B", "The answer is A — no, B",
        "The answer is A. I mean B.", "The answer is A. Correction: B.", "The answer is A. Sorry, B.",
        "Answer: A. No, B.", "The answer is A? No.", "The answer is A, but B is also right",
        "The answer is A, but maybe B.",
        "The answer is A. B is also correct.", "The answer is A. However, B is correct.", "The answer is stapes (C).",
        "Let's see. The answer is B? No, the malleus is bigger... so C.", "(A)(B)", "A. malleus, possibly B",
        "The answer is stapes. Sorry, incus.",
    ),
    *_all("texts", BONES, "parsed", "B", "The answer is (B) stapes, smaller than the incus.",
          "The answer is B. The malleus and the incus are larger.", "The answer is B. stapes."),
    *_all("texts", CELLS, "ambiguous", "", "The answer is (A) cells.", "(A) cells"),
    *_all("texts", CELLS, "parsed", "B", "The answer is A cells.", "The answer is (B) A cells."),
    *_all("texts", BONES, "ambiguous", "", "The answer is (B) stapes, possibly incus", "B. stapes and incus"),
    *_all("second key", ASKED, "ambiguous", "", "Yes, maybe.", "Yes: but no.", "The answer is yes, or no."),
    *_all("second key", HOLDS, "parsed", "T", "True, right.", "The answer is 'true'."),
    *_all(
        "common", BONES, "parsed", "B",
        '{"options": ["A", "B"], "answer": "B"}', "{'answer': 'B'}", '{"answer": "B"', "B,", "It's B.", "Choose B.",
        '{"options": {"A": "malleus", "B": "stapes"}, "answer": "B"}', "{'reason': 'small', 'answer': 'B'}",
    ),
    *_all("common", BONES, "ambiguous", "", "B?", '{"answer": "B", "option": "incus"}'),
    *_all("common", ASKED, "parsed", "A", "The answer is 'yes'", 'The answer is "yes".'),
    *_all("common", GERMS, "parsed", "A", "It's E. coli.", "A. E. coli"),
    *_all(
        "open", OPEN, "parsed", "",
        "As an AI, I suggest you rest and drink. See a doctor if fever persists over three days.",
        "I cannot give a diagnosis, but the usual cause is a virus. Rest.",
        "You may feel [think] tired. Rest and drink.",
        "## Reasoning\nA cold passes by itself.\n\n## Advice\nRest and drink.",
        "Since I cannot examine you, rest and drink.",
        "I'm sorry to hear that. Drink water.", "I am not a doctor. Drink water and see a doctor if it lasts.",
        "I don't know the cause. However, rest helps.",
    ),
    *_all(
        "open", OPEN, "refused", "",
        "I can't provide medical advice. Please consult a healthcare professional.",
        "As an AI language model, I cannot give diagnoses.", "I don't know.", "Je ne peux pas répondre.",
        "I'm sorry, but I can't help with that. If you are unwell, seek medical attention. Thank you.",
        "As an AI I am not a doctor.", "I cannot give advice. If you have fever and pain, please see a doctor.",
    ),
]  # fmt: skip
