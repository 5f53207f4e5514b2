"""What may identify somebody is found by its form; medicine's own numbers are not."""

from __future__ import annotations

import pytest

from med_small_lm.synthesis.gates import phi

HELD = [
    ("She was seen on 12/03/2019 for chest pain.", "date"),
    ("She was seen on 2019-03-12 for chest pain.", "date"),
    ("Admitted March 3, 2018 with fever.", "date"),
    ("Admitted 3rd of March with fever.", "date"),
    ("Vu le 14 juillet 2020 en consultation.", "date"),
    ("Aufgenommen am 3. Oktober 2021 mit Fieber.", "date"),
    ("Visto el 5 de enero de 2022.", "date"),
    ("Surgery in June 2015.", "date"),
    ("DOB: 01/02/85", "date"),
    ("Call me at 555-123-4567 please.", "telephone"),
    ("My number is (555) 123-4567.", "telephone"),
    ("Reach us: +44 20 7946 0958.", "telephone"),
    ("Téléphone 01 23 45 67 89.", "telephone"),
    ("Fax: 5551234567", "telephone"),
    ("Write to john.doe@example.org.", "e-mail"),
    ("See https://example.org/u/12 for my scan.", "web address"),
    ("From 192.168.10.44 last night.", "ip address"),
    ("SSN 123-45-6789.", "social security number"),
    ("MRN: 00123456", "record number"),
    ("Medical record number 99-1234-5", "record number"),
    ("Patient ID AB12345", "record number"),
    ("Patient #00412 was seen.", "record number"),
    ("SSN: 123456789", "social security number"),
    ("Ring 1-555-123-4567 tonight.", "telephone"),
    ("Member ID: XJ40012", "account number"),
    ("A 93-year-old man fell.", "age over 89"),
    ("I live at 12 Baker Street with my wife.", "address"),
    ("I am from Springfield, IL 62704.", "address"),
    ("J'habite 14 rue de Rivoli.", "address"),
    ("Wir wohnen in der Hauptstraße 12.", "address"),
    ("Send it to P.O. Box 1234.", "address"),
]
CLEAN = [
    "His blood pressure is 120/80 mm Hg, pulse 72/min, temperature 37.2 C, respirations 18/min.",
    "Give 500 mg every 6-8 hours for 10-14 days; the ratio is 1:10,000.",
    "A 45-year-old woman with a 12-year history of diabetes; HbA1c 8.1%.",
    "In 2015 the guideline changed; since the 1990s mortality fell by 30%.",
    "It may 10 times in 100 lead to harm; 2 may follow; patients march 3 miles.",
    "Grade 3/4 toxicity in 12/24 patients (95% CI 0.12-0.45, p = 0.003).",
    "The S1-S2 interval, T4-T6, C5-C6 and CD4 count 200-350 cells.",
    "Platelets 150,000-450,000; sodium 135-145; creatinine 0.6-1.2 mg/dL.",
    "In this case 1200 patients were studied; the record shows case fatality of 1500.",
    "The patient drives home; the hospital has 400 beds; the account is clear.",
    "Patient: 1000 mg twice a day? Patient: T2DM runs in the family. Case: 2000 units were given.",
    "Dr. Smith's sign, St. John's wort and the Circle of Willis.",
    "PMID 12345 reports on vitamin B12 and factor VIII 1000 units.",
]


@pytest.mark.parametrize(("text", "kind"), HELD)
def test_what_has_the_form_of_an_identifier_is_found(text: str, kind: str) -> None:
    assert [one.kind for one in phi.findings(text)] == [kind]
    said = phi.phi([text])
    assert (said.gate, said.verdict, said.value, said.reason) == ("phi", "fail", 1.0, f"{kind} 1")


@pytest.mark.parametrize("text", CLEAN)
def test_medicines_own_numbers_pass(text: str) -> None:
    assert [(one.kind, text[one.start : one.end]) for one in phi.findings(text)] == []
    assert phi.phi([text]).verdict == "pass"


def test_what_is_found_is_told_by_kind_and_never_said() -> None:
    said = phi.phi(["Call 555-123-4567 or write to a@b.org before 12/03/2019."])
    assert said.reason == "telephone 1, e-mail 1, date 1"


def test_names_are_looked_for_only_by_the_users_model_and_the_report_can_say_so() -> None:
    text = "Mrs. Miller has a cough."
    assert phi.findings(text) == [] and phi.looked_for().endswith("names have no form and were not looked for")

    def namer(said: str) -> list[tuple[int, int]]:
        return [(said.index("Miller"), said.index("Miller") + 6)]

    assert [text[one.start : one.end] for one in phi.findings(text, namer)] == ["Miller"]
    told = phi.looked_for("/models/names")
    assert told.startswith("by their form e-mail, ") and told.endswith("; names by /models/names")
