"""The datasets besides records: what they load, what they refuse, what kedro-viz is shown."""

import base64
from pathlib import Path

import plotly.graph_objects as go
import pytest
import yaml
from kedro.io import DatasetError

from med_small_lm.datasets.benchmark import BenchmarkDataset, BenchmarkFaultsDataset
from med_small_lm.datasets.checkpoint import CheckpointDataset
from med_small_lm.datasets.files import FigureDataset, TextDataset
from med_small_lm.datasets.pdf import PdfDataset
from med_small_lm.datasets.prompt import PromptDataset
from med_small_lm.datasets.teacher import TeacherDataset
from med_small_lm.params.teacher import TeacherParams

ROOT = Path(__file__).resolve().parents[2]
ANATOMY = ROOT / "data/01_raw/textbooks/anatomy.pdf"
EXAM = ROOT / "data/01_raw/benchmarks/pocket_exam.jsonl"
PROMPT = ROOT / "conf/base/prompts/question.yml"


def test_text_and_figures_come_back(tmp_path):
    text = TextDataset(filepath=str(tmp_path / "a/report.md"))
    text.save("größer\n")
    assert text.load() == "größer\n" and text.exists()
    figure = FigureDataset(filepath=str(tmp_path / "a/figure.json"))
    figure.save(go.Figure(go.Bar(x=["tuned"], y=[0.9])))
    assert figure.load().data[0].y == (0.9,)
    assert figure.preview()["data"][0]["type"] == "bar"


def test_a_book_is_its_file_with_what_the_shelf_says(tmp_path):
    book = PdfDataset(filepath=str(ANATOMY), book="anatomy", licence="own", credentials={"password": "hush"})
    loaded = book.load()
    assert (loaded.path, loaded.licence, loaded.password) == (ANATOMY, "own", "hush")
    assert "hush" not in f"{book} {book!r} {loaded!r} {book._describe()}"
    assert base64.b64decode(str(book.preview())).startswith(b"\x89PNG")
    with pytest.raises(DatasetError, match="read-only"):
        book.save(loaded)
    gone = PdfDataset(filepath=str(tmp_path / "gone.pdf"), book="gone", licence="own")
    with pytest.raises(DatasetError, match="gone: there is no file"):
        gone.load()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", "<h1>Heart</h1><p>It beats."),
        ("a.jsonl", "no paper"),
        ("a.pdf", "no PDF"),
        ("folder/a.md", "text"),
        ("", ""),
    ],
)
def test_every_format_has_a_preview_and_so_has_an_empty_folder(tmp_path, name, content):
    file = tmp_path / "shelf" / name
    (file.parent if name else file).mkdir(parents=True)
    if name:
        file.write_text(content)
    book = PdfDataset(filepath=str(tmp_path / "shelf" / name.partition("/")[0]), book="b", licence="own", title="A < B")
    assert base64.b64decode(str(book.preview())).startswith(b"\x89PNG")


def test_an_exam_names_its_bad_lines_and_keeps_the_others(tmp_path, caplog):
    file = tmp_path / "exam.jsonl"
    file.write_text(EXAM.read_text().splitlines()[0] + "\n{}\nno JSON\n")
    exam = BenchmarkDataset(filepath=str(file))
    assert len(exam.load()) == 1
    (said,) = [record.message for record in caplog.records if record.name.endswith("benchmark")]
    assert said.startswith("exam.jsonl: 2 of 3 lines are no question and are set aside; the first: line 2: malformed")
    assert exam.preview()["columns"] == ["question_id", "split", "stem", "answer_text"]
    faults = BenchmarkFaultsDataset(filepath=str(file), exam="mine")
    assert list(faults.load()["line"]) == [2, 3] and faults.preview()["data"][1][-1] == "no JSON"
    assert faults.load().columns.tolist() == ["benchmark", "line", "question_id", "reason", "text"]
    file.write_text("{}\n")
    with pytest.raises(DatasetError, match="holds no question"):
        exam.load()


def test_a_text_that_is_not_there_says_its_default(tmp_path):
    file = tmp_path / "check.txt"
    waits, must = TextDataset(filepath=str(file), default="not checked"), TextDataset(filepath=str(file))
    assert waits.exists() and waits.load() == "not checked" and not must.exists()
    must.save("all counts agree")
    assert waits.load() == "all counts agree"


def test_a_prompt_is_parsed_and_shown(tmp_path):
    prompt = PromptDataset(filepath=str(PROMPT))
    assert prompt.load().id == "question"
    assert yaml.safe_load(str(prompt.preview()))["id"] == "question"
    with pytest.raises(DatasetError, match="read-only"):
        prompt.save(prompt.load())


@pytest.mark.parametrize(
    ("given", "url", "passed"),
    [
        ({"api_key": "own"}, "http://127.0.0.1:8000/v1", "own"),
        ({"api_key": "own"}, "https://api.openai.com/v1", "own"),
        (None, "https://api.openai.com/v1", "outer"),
        (None, "http://127.0.0.1:8000/v1", None),
    ],
)
def test_the_key_of_the_environment_goes_to_one_host_only(tmp_path, monkeypatch, given, url, passed):
    monkeypatch.setenv("OPENAI_API_KEY", "outer")
    opened = []
    monkeypatch.setattr("med_small_lm.datasets.teacher.open_teacher", lambda *args: opened.append(args))
    access = TeacherDataset(filepath=str(tmp_path / "ledger.sqlite"), credentials=given).load()
    access.open(TeacherParams(model="some", base_url=url, price_in=1, price_out=1))
    assert opened[0][2] == passed
    assert not any(key in f"{access!r} {access}" for key in ("own", "outer"))


def test_a_checkpoint_that_is_not_whole_is_none(finished, tmp_path):
    folder = finished.data / "06_models/base"
    dataset = CheckpointDataset(filepath=str(folder))
    checkpoint = dataset.load()
    dataset.save(checkpoint)
    assert dataset.exists() and '"fingerprint"' in str(dataset.preview())
    elsewhere = CheckpointDataset(filepath=str(tmp_path))
    assert not elsewhere.exists()
    with pytest.raises(DatasetError, match="holds no finished checkpoint"):
        elsewhere.load()
    with pytest.raises(DatasetError, match="the catalog expects"):
        elsewhere.save(checkpoint)
