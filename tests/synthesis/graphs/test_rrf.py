"""UMLS's format: what is taken of it, what is left out and why, and what is malformed."""

import gzip

import pytest


def said(examples):
    return [one.messages[-1].content for one in examples]


def left_out(report):
    return {one.reason: one.count for one in report.left_out}


@pytest.fixture
def release(umls, rrf):
    name, definition, relation = rrf
    return umls(
        mrconso=[
            name("C0000001", "Zostalgia"),
            name("C0000001", "zoster pain", ts="S"),
            name("C0000001", "Zostalgie", lat="GER"),
            name("C0000002", "pain"),
            name("C0000003", "old name", suppress="O"),
        ],
        mrdef=[
            definition("C0000001", "Pain <p>after</p>  zoster, at p < 0.05."),
            definition("C0000002", "It was so.", suppress="Y"),
        ],
        mrrel=[
            relation("C0000002", "isa", "C0000001", "Y"),
            relation("C0000001", "inverse_isa", "C0000002", "N"),
            relation("C0000001", "", "C0000002"),
            relation("C0000001", "same_as", "C0000001"),
            relation("C0000001", "has_sign", "C0000003"),
        ],
    )


def test_what_is_wanted_is_taken_and_the_rest_is_counted(read, release):
    files, examples = read(release, "rrf")
    assert said(examples) == ["Pain after zoster, at p < 0.05.", "Zostalgia is a pain."]
    assert left_out(files["MRCONSO.RRF"]) == {
        "not the preferred name": 1,
        "another language": 1,
        "suppressed": 1,
    }
    assert left_out(files["MRDEF.RRF"]) == {"suppressed": 1}
    assert left_out(files["MRREL.RRF"]) == {
        "an entity without a name": 1,
        "against its source's direction": 1,
        "no name of the relation (RELA)": 1,
        "within one concept": 1,
    }
    for file in files.values():
        assert file.status == "ok" and file.malformed == 0
        assert file.rows == len((release / file.file).read_text().splitlines())


def test_every_example_leads_back_to_its_rows(read, release):
    described, related = read(release, "rrf")[1]
    assert described.parent_ids == ["MRDEF.RRF:1", "C0000001"]
    assert related.parent_ids == ["MRREL.RRF:1", "C0000001", "C0000002"]
    assert {one.licence for one in (described, related)} == {"CC0-1.0"}
    assert (described.method, related.method) == ("graph_description", "graph_relation")
    assert [one.role for one in related.messages] == ["user", "assistant"]
    assert "Zostalgia" in related.messages[0].content and "pain" in related.messages[0].content


def test_malformed_rows_are_counted_shown_and_skipped(read, umls, rrf):
    name, definition, _ = rrf
    folder = umls(
        mrconso=[name("C0000001", "fever"), "C0000002|ENG|P", name("X1", "no concept"), name("C0000003", "a|b")],
        mrdef=[definition("C0000001", "Heat.")],
        mrrel=[],
    )
    with (folder / "MRDEF.RRF").open("ab") as file:
        file.write(b"C0000001|A1|AT1||MSH|\xff\xfe|N||\n")
    files, examples = read(folder, "rrf")
    assert said(examples) == ["Heat."]
    names = files["MRCONSO.RRF"]
    assert (names.used, names.malformed) == (1, 3)
    assert [(one.line, one.reason) for one in names.faults] == [
        (2, "2 fields, not 18"),
        (3, "'X1' is no concept (CUI)"),
        (4, "19 fields, not 18"),
    ]
    assert [(one.line, one.reason) for one in files["MRDEF.RRF"].faults] == [(2, "not UTF-8")]
    assert files["MRREL.RRF"].status == "quarantined"


def test_a_missing_file_leaves_what_the_others_say(read, release):
    (release / "MRDEF.RRF").unlink()
    files, examples = read(release, "rrf")
    assert files["MRDEF.RRF"].status == "missing" and "no MRDEF.RRF" in files["MRDEF.RRF"].reason
    assert said(examples) == ["Zostalgia is a pain."]


def test_vocabularies_are_chosen_and_the_first_defines_best(read, umls, rrf):
    name, definition, _ = rrf
    folder = umls(
        mrconso=[
            name("C0000001", "preferred", sab="SNOMEDCT_US"),
            name("C0000001", "by MeSH", ts="S", sab="MSH"),
            name("C0000001", "by NCI", ts="S", stt="VO", sab="NCI"),
        ],
        mrdef=[definition("C0000001", "MeSH says.", "MSH"), definition("C0000001", "NCI says.", "NCI")],
    )
    files, examples = read(folder, "rrf", vocabularies=("NCI", "MSH"))
    assert said(examples) == ["NCI says."]
    assert left_out(files["MRDEF.RRF"]) == {"another description is used": 1} and files["MRDEF.RRF"].used == 1
    assert "by MeSH" in examples[0].messages[0].content
    assert left_out(files["MRCONSO.RRF"]) == {"another vocabulary": 1}
    assert said(read(folder, "rrf", vocabularies=("MSH", "NCI"))[1]) == ["MeSH says."]


def test_gzipped_files_are_read_and_a_cut_one_to_where_it_is_cut(read, release):
    before = read(release, "rrf")[1]
    plain = release / "MRDEF.RRF"
    (release / "MRDEF.RRF.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    after = read(release, "rrf")[1]
    assert said(after) == said(before)
    assert after[0].parent_ids[0] == "MRDEF.RRF.gz:1"
    (release / "MRDEF.RRF.gz").write_bytes(gzip.compress(b"x\n" * 100_000)[:-20])
    report = read(release, "rrf")[0]["MRDEF.RRF.gz"]
    assert report.status == "quarantined" and report.used == 0
