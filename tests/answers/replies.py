"""150 replies as models give them, each with what a careful reader takes from it.

A reply stands with the question that it answers (its options and kind), whether it was cut, the state that it is to be
read in, and the keys. They were written for this table, after what evaluations were caught by.
"""

from __future__ import annotations

from dataclasses import dataclass

from med_small_lm.schemas.rows import Option


@dataclass(frozen=True, slots=True)
class Shape:
    """A question as far as reading needs it."""

    kind: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One reply with what it says: ``keys`` as one string, "AC"."""

    group: str
    shape: Shape
    text: str
    state: str
    keys: str = ""
    cut: bool = False


def _shape(kind: str, *texts: str, keys: str = "ABCDEFGH") -> Shape:
    return Shape(kind, tuple(Option(key, text) for key, text in zip(keys, texts, strict=False)))


BONES = _shape("single", "malleus", "stapes", "incus", "hyoid bone")
DRUGS = _shape("single", "vitamin D", "furosemide 40 mg", "furosemide 80 mg", "aspirin", "spironolactone")
GERMS = _shape("single", "E. coli", "C. difficile", "B lymphocytes", "hepatitis A virus")
GENES = _shape("single", "HLA-B*27", "HLA-DR4", "factor V Leiden", "10⁹ cells/L")
ORGANES = _shape("single", "foie", "rate", "pancréas", "rein gauche")
LOWERING = _shape("multi", "insulin", "glucagon", "metformin", "cortisol", "gliclazide")
COMA = _shape(
    "progressive", "Insulin is lacking", "Lipase is raised", "Ketones are found in the urine",
    "The breath smells of chlorine", "Potassium has to be watched",
)  # fmt: skip
SIGNES = _shape("multi", "fièvre", "toux", "dyspnée", "ictère", "prurit")
ASKED = _shape("yes_no", "yes", "no", "maybe")
DEMANDE = _shape("yes_no", "oui", "non", "peut-être")
HOLDS = _shape("progressive", "True", "False", keys="TF")
TIENT = _shape("progressive", "Vrai", "Faux", keys="TF")
OPEN = _shape("open")

_LONG = "The smallest bone of the body lies in the middle ear, next to the oval window. "

CASES = [
    # what published systems ask for
    Case("forms", BONES, "The smallest one is the last of the chain. The answer is (B) stapes.", "parsed", "B"),
    Case("forms", BONES, _LONG + "Therefore, the answer is (B).", "parsed", "B"),
    Case("forms", BONES, "Answer: B", "parsed", "B"),
    Case("forms", BONES, "B: stapes", "parsed", "B"),
    Case("forms", BONES, "D. hyoid bone", "parsed", "D"),
    Case("forms", BONES, "C incus", "parsed", "C"),
    Case("forms", BONES, "OPTION D IS CORRECT.", "parsed", "D"),
    Case("forms", BONES, "###Answer: OPTION C IS CORRECT.", "parsed", "C"),
    Case("forms", BONES, "###Rationale: It rests on the oval window. OPTION B IS CORRECT.", "parsed", "B"),
    Case(
        "forms", BONES, "Option A is FALSE. It is larger.\nOption B is TRUE. It is the smallest.\n"
        "Option C is FALSE.\nOption D is FALSE.", "parsed", "B",
    ),
    Case("forms", BONES, "the answer is (c) incus", "parsed", "C"),
    Case("forms", BONES, "The answer is stapes.", "parsed", "B"),
    # spellings
    Case("spellings", BONES, "The correct answer is option B.", "parsed", "B"),
    Case("spellings", BONES, "The best choice would be (C).", "parsed", "C"),
    Case("spellings", BONES, "The correct option is D, the hyoid bone.", "parsed", "D"),
    Case("spellings", BONES, "My answer: A", "parsed", "A"),
    Case("spellings", BONES, "I would go with C.", "parsed", "C"),
    Case("spellings", BONES, "I choose (A) malleus.", "parsed", "A"),
    Case("spellings", BONES, _LONG + "So B is the answer.", "parsed", "B"),
    Case("spellings", BONES, "Stapes is the correct answer.", "parsed", "B"),
    Case("spellings", BONES, "answer = b", "parsed", "B"),
    Case("spellings", BONES, "b)", "parsed", "B"),
    Case("spellings", BONES, "B", "parsed", "B"),
    Case("spellings", BONES, "(C) because the malleus is larger.", "parsed", "C"),
    Case("spellings", BONES, "B. stapes\n\nExplanation: the malleus and the incus are both larger.", "parsed", "B"),
    Case("spellings", BONES, "Option C: incus", "parsed", "C"),
    Case("spellings", BONES, "The answer is B, not C.", "parsed", "B"),
    Case("spellings", BONES, "Neither A nor C is the smallest. The answer is B.", "parsed", "B"),
    Case("spellings", BONES, "Final Answer\nB", "parsed", "B"),
    Case("spellings", BONES, "The answer is B. This answer is supported by its weight of 3 mg.", "parsed", "B"),
    Case("spellings", BONES, "The answer is B.\n\nQuestion: Which nerve is long? The answer is D.", "parsed", "B"),
    Case("spellings", BONES, "The answer is hyoid bones.", "repaired", "D"),
    Case("spellings", DRUGS, "Give furosemide 80 mg daily", "ambiguous"),
    Case("spellings", DRUGS, "The answer is furosemide 80 mg daily.", "repaired", "C"),
    # Markdown, LaTeX, JSON
    Case("mark-up", BONES, "**Answer:** **B**", "parsed", "B"),
    Case("mark-up", BONES, "The answer is **(B) stapes**.", "parsed", "B"),
    Case("mark-up", BONES, "### Final answer\n\n`C`", "parsed", "C"),
    Case("mark-up", BONES, "- **D** - hyoid bone", "parsed", "D"),
    Case("mark-up", BONES, r"Hence \boxed{B}", "parsed", "B"),
    Case("mark-up", BONES, r"$$\boxed{\text{(B) stapes}}$$", "parsed", "B"),
    Case("mark-up", BONES, r"The final answer is $\boxed{\mathrm{C}}$.", "parsed", "C"),
    Case("mark-up", BONES, r"\(\boxed{\textbf{\text{A}}}\)", "parsed", "A"),
    Case("mark-up", BONES, "<answer>B</answer>", "parsed", "B"),
    Case("mark-up", BONES, '{"answer": "B", "reason": "A and C are larger."}', "parsed", "B"),
    Case("mark-up", BONES, '```json\n{"step_by_step": "The malleus? No.", "answer_choice": "B"}\n```', "parsed", "B"),
    Case("mark-up", BONES, '{"answer": "B", "answer_text": "incus"}', "ambiguous"),
    Case("mark-up", LOWERING, '{"answers": ["A", "C", "E"]}', "parsed", "ACE"),
    Case("mark-up", COMA, '{"A": true, "B": false, "C": true, "D": false, "E": true}', "parsed", "ACE"),
    Case("mark-up", GENES, "The answer is **HLA-B*27**.", "parsed", "A"),
    Case("mark-up", GENES, "The answer is 10⁹ cells/L.", "parsed", "D"),
    # thinking
    Case("thinking", BONES, "<think>Perhaps the answer is A. Or C.</think>The answer is (B) stapes.", "parsed", "B"),
    Case("thinking", BONES, "<thinking>\nA?\n</thinking>\n\nB", "parsed", "B"),
    Case("thinking", BONES, "Is it A, as the answer is A in the book?\n</think>\n\nAnswer: B", "parsed", "B"),
    Case("thinking", BONES, "[THINK]The answer is D.[/THINK]The answer is C.", "parsed", "C"),
    Case("thinking", BONES, "◁think▷Answer: A◁/think▷Answer: B", "parsed", "B"),
    Case(
        "thinking", BONES,
        "<|channel|>analysis<|message|>Answer: A?<|end|><|start|>assistant<|channel|>final<|message|>B. stapes"
        "<|return|>",
        "parsed", "B",
    ),
    Case("thinking", BONES, "analysisThe answer is A, maybe.assistantfinalThe answer is B.", "parsed", "B"),
    Case(
        "thinking", BONES, "<|begin_of_thought|>Answer: C<|end_of_thought|>\n<|begin_of_solution|>Answer: B"
        "<|end_of_solution|>", "parsed", "B",
    ),
    Case("thinking", BONES, "## Thinking\n\nThe answer is A at first sight.\n\n## Final Response\n\nB", "parsed", "B"),
    Case("thinking", BONES, "<unused94>thought\nThe answer is A.<unused95>The answer is B.", "parsed", "B"),
    Case("thinking", BONES, "<reasoning>Not A.</reasoning><answer>(B) stapes</answer>", "parsed", "B"),
    Case("thinking", BONES, "<think>The answer is B.</think>", "empty"),
    Case("thinking", BONES, "<think></think>\n", "empty"),
    Case("thinking", BONES, "<think>\nThe answer is B. But let me check", "truncated"),
    Case("thinking", BONES, "<|channel|>analysis<|message|>The answer is B", "truncated"),
    Case("thinking", BONES, "## Thinking\n\nThe answer is B, since it rests", "truncated"),
    # capitals that are no keys
    Case("no keys", BONES, "A 45-year-old man hears badly.", "ambiguous"),
    Case("no keys", BONES, "Answer", "ambiguous"),
    Case("no keys", BONES, "A good question about anatomy.", "ambiguous"),
    Case("no keys", BONES, "Bones of the ear are small.", "ambiguous"),
    Case("no keys", BONES, "Vitamin D, calcium and type B fibres matter to all bones.", "ambiguous"),
    Case("no keys", DRUGS, "The answer is vitamin D.", "parsed", "A"),
    Case("no keys", GERMS, "The answer is C. difficile.", "parsed", "B"),
    Case("no keys", GERMS, "The answer is E. coli.", "parsed", "A"),
    Case("no keys", GERMS, "The answer is B lymphocytes.", "parsed", "C"),
    Case("no keys", GERMS, "The answer is hepatitis A virus.", "parsed", "D"),
    # two answers
    Case("two", BONES, "The answer is A or B.", "ambiguous"),
    Case("two", BONES, "The answer is (A) and (C).", "ambiguous"),
    Case("two", BONES, "Both B and C are correct.", "ambiguous"),
    Case("two", BONES, "A, B", "ambiguous"),
    Case("two", BONES, "A\nB", "ambiguous"),
    Case("two", BONES, "A. malleus\nB. stapes\nC. incus\nD. hyoid bone", "ambiguous"),
    Case("two", BONES, "OPTION A IS CORRECT. OPTION B IS CORRECT.", "ambiguous"),
    Case("two", BONES, "The answer is (A). The answer is (B).", "ambiguous"),
    Case("two", BONES, r"The answer is A. \boxed{C}", "ambiguous"),
    Case("two", BONES, "The answer is stapes or incus.", "ambiguous"),
    Case("two", DRUGS, "The answer is furosemide.", "ambiguous"),
    Case("two", BONES, "Answer: A/B", "ambiguous"),
    Case("two", BONES, "The answer is A. Wait, it is not the smallest. The answer is B.", "parsed", "B"),
    Case("two", BONES, "One might think that the answer is A. The answer is B.", "parsed", "B"),
    # key and text at odds
    Case("at odds", BONES, "The answer is (B) incus.", "ambiguous"),
    Case("at odds", BONES, "C: stapes", "ambiguous"),
    Case("at odds", BONES, "Answer: D. malleus", "ambiguous"),
    Case("at odds", BONES, r"\boxed{A. incus}", "ambiguous"),
    Case("at odds", BONES, "Option A, the stapes", "ambiguous"),
    Case("at odds", BONES, "(C) hyoid bone is correct.", "ambiguous"),
    Case("at odds", LOWERING, "The answers are (A) insulin and (B) metformin.", "ambiguous"),
    # no option
    Case("none", BONES, "The answer is the femur.", "ambiguous"),
    Case("none", BONES, "The answer is E.", "ambiguous"),
    Case("none", BONES, "The answer is not A.", "ambiguous"),
    Case("none", BONES, "A) malleus is wrong because it is larger.", "ambiguous"),
    Case("none", BONES, "Which bone is the smallest? (A) malleus (B) stapes (C) incus (D) hyoid bone", "ambiguous"),
    Case("none", BONES, "The stapes moves in the oval window and the incus moves it.", "ambiguous"),
    # refusals, nothing, cut
    Case("refused", BONES, "I'm sorry, but I can't help with medical questions.", "refused"),
    Case("refused", BONES, "As an AI language model I do not give diagnoses.", "refused"),
    Case("refused", BONES, "I cannot determine the answer. Please consult your doctor.", "refused"),
    Case("refused", BONES, "There is insufficient information to say.", "refused"),
    Case("refused", BONES, "I am not sure. The answer is (B).", "parsed", "B"),
    Case("refused", BONES, "The patient cannot answer questions when the malleus is broken.", "ambiguous"),
    Case("empty", BONES, "", "empty"),
    Case("empty", BONES, " \n\t ", "empty"),
    Case("empty", LOWERING, "**", "empty"),
    Case("cut", BONES, "The smallest bone is the", "truncated", cut=True),
    Case("cut", BONES, "The answer is (B) stapes. It", "truncated", cut=True),
    Case("cut", LOWERING, "The answers are A, C", "truncated", cut=True),
    # French
    Case("French", ORGANES, "La bonne réponse est C", "parsed", "C"),
    Case("French", ORGANES, "Réponse : B", "parsed", "B"),
    Case("French", ORGANES, "La réponse correcte est la D.", "parsed", "D"),
    Case("French", ORGANES, "C'est la réponse A.", "parsed", "A"),
    Case("French", ORGANES, "L'insuline vient de là. La réponse est le pancréas.", "parsed", "C"),
    Case("French", ORGANES, "La proposition B est vraie.", "parsed", "B"),
    Case("French", ORGANES, "La réponse est A ou B.", "ambiguous"),
    Case("French", ORGANES, "Je ne peux pas répondre à cette question.", "refused"),
    Case("French", SIGNES, "Réponses : A, B et C", "parsed", "ABC"),
    Case("French", SIGNES, "Les bonnes réponses sont A, C et E.", "parsed", "ACE"),
    Case("French", SIGNES, "A. Vrai\nB. Faux\nC. Vrai\nD. Faux\nE. Faux", "parsed", "AC"),
    Case("French", TIENT, "Vrai", "parsed", "T"),
    Case("French", TIENT, "Faux : la rate n'y est pour rien.", "parsed", "F"),
    Case("French", DEMANDE, "Oui, le traitement aide.", "parsed", "A"),
    Case("French", DEMANDE, "La réponse est : peut-être.", "parsed", "C"),
    # several right options
    Case("several", LOWERING, "The correct answers are A, C, and E.", "parsed", "ACE"),
    Case("several", LOWERING, "ACE", "parsed", "ACE"),
    Case("several", LOWERING, "Answer:\n- A. insulin\n- C. metformin", "parsed", "AC"),
    Case("several", LOWERING, "The answers are insulin and gliclazide.", "parsed", "AE"),
    Case("several", LOWERING, "Options A and E are correct. Option B is wrong.", "parsed", "AE"),
    Case("several", LOWERING, "The answer is C.", "parsed", "C"),
    Case("several", LOWERING, "The answer is A or C.", "ambiguous"),
    Case("several", LOWERING, "The answers are A, C and F.", "ambiguous"),
    Case("several", COMA, "A: True\nB: False\nC: True\nD: False\nE: True", "parsed", "ACE"),
    Case("several", COMA, "A: False. B: False. C: False. D: False. E: False.", "parsed", ""),
    Case("several", COMA, "A: True\nB: False\nC: True", "ambiguous"),
    Case("several", COMA, "A: True\nB: False\nC: True\nD: False\nE: True\nA: False", "ambiguous"),
    # yes, no, maybe; true, false; open
    Case("yes or no", ASKED, "Yes, statins lower the risk.", "parsed", "A"),
    Case("yes or no", ASKED, "No evidence shows a benefit.", "ambiguous"),
    Case("yes or no", ASKED, "The trials differ. The answer is maybe.", "parsed", "C"),
    Case("yes or no", ASKED, "The answer is yes or no.", "ambiguous"),
    Case("yes or no", HOLDS, "The statement is false.", "parsed", "F"),
    Case("yes or no", HOLDS, "True. Actually\nFalse", "ambiguous"),
    Case("open", OPEN, "Drink water and rest for two days.", "parsed"),
    Case("open", OPEN, "I'm sorry, I cannot provide medical advice.", "refused"),
]  # fmt: skip
