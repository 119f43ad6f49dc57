"""The classifier: scikit-learn's own probabilities in plain Python, a file that can be trusted, and houses that teach it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from logkb.analysis import Analyzer
from logkb.classifier import Classifier, tokens
from logkb.corpus import read_corpus
from logkb.errors import InputError, UsageError
from logkb.evaluation import judge, scan_all, score
from logkb.knowledge import load_knowledge
from logkb.learning import _load_documents, label, train, training_file
from logkb.paths import data_root
from logkb.training import Document, Fitted, fit, write_model


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    """A part of what the shipped model learned from: enough classes to be a real test, few enough to be quick."""
    every = _load_documents(training_file())
    chosen = sorted({document.label for document in every})[::9]
    return [document for document in every if document.label in chosen]


@pytest.fixture(scope="module")
def fitted(documents: list[Document]) -> Fitted:
    return fit(documents)


@pytest.fixture(scope="module")
def model(fitted: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.bin"
    write_model(fitted, path, {"documents": 1})
    return path


def test_the_probabilities_are_scikit_learn_s_own(documents: list[Document], fitted: Fitted, model: Path) -> None:
    classifier = Classifier(model)
    expected = fitted.model.predict_proba(fitted.vectoriser.transform([document.lines for document in documents]))
    for document, row in zip(documents, expected, strict=True):
        found = {prediction.cause: prediction.probability for prediction in classifier.predict(document.lines)}
        assert found == pytest.approx(dict(zip(fitted.classes, row, strict=True)), abs=1e-6)


def test_training_twice_writes_the_same_file(documents: list[Document], model: Path, tmp_path: Path) -> None:
    write_model(fit(documents), tmp_path / "again.bin", {"documents": 1})
    assert (tmp_path / "again.bin").read_bytes() == model.read_bytes()


@pytest.mark.parametrize("damage", ["flip", "cut", "other"])
def test_a_damaged_model_is_refused(model: Path, tmp_path: Path, damage: str) -> None:
    data = bytearray(model.read_bytes())
    if damage == "flip":
        data[-100] ^= 1
    elif damage == "cut":
        del data[-100:]
    else:
        data[:4] = b"PKL!"
    (tmp_path / "bad.bin").write_bytes(bytes(data))
    with pytest.raises(InputError, match="damaged"):
        Classifier(tmp_path / "bad.bin")


def test_a_log_of_nothing_known_gives_probabilities_all_the_same(model: Path) -> None:
    predictions = Classifier(model).predict(["zzzz qqqq"])
    assert sum(prediction.probability for prediction in predictions) == pytest.approx(1)


def test_the_terms_that_spoke_for_a_cause_stand_in_the_log(documents: list[Document], model: Path) -> None:
    classifier = Classifier(model)
    document = next(document for document in documents if document.example.cause)
    first = classifier.predict(document.lines)[0].cause
    found = classifier.terms(document.lines, first)
    assert found
    assert {term.feature for term in found} <= set(tokens(document.lines))


def test_numbers_and_digests_are_no_features() -> None:
    assert tokens(["error 4312 at 0xdeadbeef00 in 3f2a9c1b7d"]) == tokens(["error 17 at 0xcafecafe11 in 99aa88bb77"])


HOUSES = {
    "licence-missing": "acme-sign: licence server build-lic-{n} has no free seat for host runner-{n}",
    "plotter-offline": "frobnicator[{n}]: spindle controller gave up waiting on bay {n}",
    "ledger-unbalanced": "ledgerlint: posting {n} leaves account 4{n} unbalanced by {n}.17",
}
NOISE = [
    "checking out revision {n}",
    "restored cache key build-{n}",
    "compiled module {n} of 40",
    "uploading report {n}",
    "step {n} done",
]


def house_log(cause: str, seed: int) -> bytes:
    pick = random.Random(f"{cause}{seed}")
    lines = [pick.choice(NOISE).format(n=pick.randint(1, 900)) for _ in range(40)]
    lines += [HOUSES[cause].format(n=pick.randint(1, 900)), "make: *** [all] Error 1"]
    return "\n".join(lines).encode()


def test_ten_labelled_logs_teach_a_house_cause(tmp_path: Path) -> None:
    overlay = tmp_path / ".logkb"
    for cause in HOUSES:
        for seed in range(10):
            label(None, house_log(cause, seed), cause, overlay)
    train(Analyzer(load_knowledge([overlay]), classify=False), overlay, None)
    analyzer = Analyzer(load_knowledge([overlay]))
    right = [
        [finding.cause for finding in analyzer.analyze(house_log(cause, seed)).findings][:1] == [cause]
        for cause in HOUSES
        for seed in range(100, 110)
    ]
    assert sum(right) / len(right) >= 0.9


def test_a_label_is_masked_and_named_by_its_content(tmp_path: Path) -> None:
    token = "gh" + "p_" + "a" * 36
    path = label(Path("build.log"), f"push with {token}\nfailed\n".encode(), "licence-missing", tmp_path)
    assert path.read_text() == "push with <github-token:1>\nfailed\n"
    examples, problems = read_corpus(tmp_path / "corpus")
    assert problems == ()
    assert [example.cause for example in examples] == ["licence-missing"]


@pytest.mark.parametrize(
    ("data", "cause", "message"), [(b"x", "Bad Cause", "lower-case words"), (b" \n", "licence-missing", "empty")]
)
def test_a_label_that_teaches_nothing_is_refused(tmp_path: Path, data: bytes, cause: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        label(None, data, cause, tmp_path)


def test_accuracy_on_recorded_logs_does_not_slip() -> None:
    examples, problems = read_corpus(data_root() / "corpus")
    assert problems == ()
    analyzer = Analyzer(load_knowledge(), classify=False)
    scores = score(judge(scan_all(examples[::7], analyzer), analyzer, classifier=False), {})
    assert scores.first >= 0.9
    assert scores.first_three >= 0.94
    assert scores.calibration <= 0.08
    assert scores.line >= 0.85
