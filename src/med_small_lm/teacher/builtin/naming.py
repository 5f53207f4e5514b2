"""Names of medicine: how they are written inside a sentence, and what kind of thing they name."""

from __future__ import annotations

import re

_ADJECTIVE = re.compile(
    r"(?:ic|al|ous|ive|ute|ar|ary|ed|ing|oid|iac|ine|ian|ile|ate|ent|ant|ory|ble|ior|ated|ple|nal|xed|nd)$"
)
_HEADED = re.compile(
    r"^[A-Z][\w'’-]+(?:[- ][A-Z][\w'’-]+)* (?:[a-z]+ )?"
    r"(?:disease|syndrome|palsy|sarcoma|lymphoma|encephalopathy|esophagus|ataxia|chorea|contracture|thyroiditis|"
    r"cells?|corpuscles?|nodes?|area|gland|muscle|nerve|tumou?r|dystrophy|ligament|duct|canal|membrane|fibers?|"
    r"bodies|maneuver|"
    r"phenomenon|sign|score|test|factor|neuropathy|deformity)$"
)
_GENUS = re.compile(
    r"(?:coccus|bacter|bacterium|bacillus|plasma|nema|spora|monas|illus|ella|eria|idium|ettsia|mydia|relia|rchia|"
    r"rsinia|"
    r"philus|dida|ibrio|ardia|soma|cystis|moeba|nella|cium|bius|enia|modium|myces|myxa|stoma|aris|stridium|ichia|"
    r"nibacter|"
    r"oides|lcaria|nopheles|prionus|xodes|tella|gillus|terium|nocardia|ichomonas|ingia|ucella|nosa|ilus)$",
    re.IGNORECASE,
)
_NO_GENUS = re.compile(
    r"(?:emia|exia|imia|phigus|betes|plasia|trophy|centa|thenia|ulgaris|asthenia|schizophrenia|penia|neoplasia)$",
    re.IGNORECASE,
)
_EPITHET = re.compile(r"^[a-z]{3,}(?:i|ae|is|us|um|a|ans|ens|e|es|er|ns|x|as|on)$")
_KINDS = tuple(
    (kind, re.compile(form))
    for kind, form in (
        ("organism", r"virus(?: (?:type )?\w?\d+)?$|^(?:HIV|influenza|parvovirus)\b"),
        ("enzyme", r"(?:\w{3,}ase|pepsin|trypsin|thrombin|lysozyme)(?: [A-Z0-9]\w?| [A-Z]+\d?)?$"),
        ("nutrient", r"^(?:vitamin|dietary) |(?:^| )fatty acids?$"),
        (
            "cell",
            r"(?:\bcells?(?: of \w+)?|cytes?|\w+blasts?|\w+clasts?|\w+phages?|\w+phils?|glia|platelets?|trophoblast|"
            r"neurons?)$",
        ),
        (
            "structure",
            r"(?:nerve|artery|vein|muscle|gland|duct|ligament|cortex|lobe|ganglion|plexus|tubule|canal|node|arteriosus|"
            r"foramen|tract|nucleus|bone|valve|area|luteum|tendon|tube|cord|fossa|joint)$",
        ),
        (
            "disease",
            r"(?:disease|syndrome|disorder|itis|osis|emia|oma|pathy|cancer|carcinoma|hernia|anemia|ism|plegia|failure|"
            r"stenosis|infarction|hemorrhage|embolism|dystrophy|palsy)$",
        ),
    )
)
_COMMON = re.compile(r"^(?:Anti|Non|Pre|Post|Alpha|Beta|Gamma|Delta)-|^[A-Z][a-z'’]+(?:-[a-z0-9]\S*)*,?$")
_PROPER = frozenset(
    {"Gram", "Golgi", "Henle", "Bowman", "English", "African", "American", "European", "Latin", "Greek"}
)


def inside_sentence(name: str, text: str) -> str:
    """Return a name that opens a sentence as it is written inside one.

    ``text`` is where the book's own spelling is looked for; without an instance there, adjectives and common nouns
    become lower case, and eponyms, organisms and acronyms stay.
    """
    first = name.split(" ", 1)[0]
    if not _COMMON.match(first) or first in _PROPER:
        return name
    lowered = name[0].lower() + name[1:]
    if text and lowered in text:
        return lowered
    if text and re.search(rf"(?<=[a-z,] ){re.escape(name)}\b", text):
        return name
    if is_binomial(name) or (_HEADED.match(name) and not _ADJECTIVE.search(first)):
        return name
    return lowered


def is_person(name: str, text: str) -> bool:
    """Return whether one word with a capital, also inside sentences, is likely somebody's name: a case, not a term."""
    word = name[:1].upper() + name[1:]
    if " " in name or not _COMMON.match(word):
        return False
    return re.search(rf"(?<=[a-z,;] ){re.escape(word)}\b", text) is not None


def is_binomial(name: str) -> bool:
    """Return whether a name looks like genus and species."""
    parts = name.split(" ")
    if len(parts) != 2 or not parts[0][:1].isupper() or not _EPITHET.match(parts[1]):
        return False
    return bool(_GENUS.search(parts[0])) and not _NO_GENUS.search(parts[0])


def kind_of(name: str, article: bool) -> str:
    """Return the kind of thing that a name names, as far as its form tells, or an empty string."""
    if is_binomial(name):
        return "organism"
    kind = next((kind for kind, form in _KINDS if form.search(name)), "")
    # What takes "the" is a part of the body; "the anemia" is a disease again.
    return kind or ("structure" if article else "")
