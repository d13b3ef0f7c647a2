"""The command: two trees of documents in, a report and an exit code out."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.compat.__main__ import main
from tests.specs.small import REST, SIZES, STREAM, THINGS

ROOT = Path(__file__).parents[2]


def write(folder: Path, *, rest: str = REST, stream: str = STREAM) -> Path:
    folder.mkdir(exist_ok=True)
    files = {"rest.yaml": rest, "things.yaml": THINGS, "stream.yaml": stream, "sizes.yaml": SIZES}
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def compare(old: Path, new: Path) -> int:
    return main(["--against", str(old), "--specs", str(new)])


def raised(text: str, version: str) -> str:
    return text.replace("version: 1.0.0", f"version: {version}", 1)


BROKEN_STREAM = STREAM.replace("enum: [ask]", "enum: [please]").replace(
    "{action: ask, size: 3}", "{action: please, size: 3}"
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write(tmp_path / "old")


def test_the_own_documents_have_no_change_from_themselves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert compare(ROOT / "specs", ROOT / "specs") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 2
    assert all("no change" in line for line in lines)


def test_every_clone_has_a_base_with_which_the_own_documents_agree(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main([]) == 0
    printed = capsys.readouterr().out
    for document in ("openapi.yaml", "stream.asyncapi.yaml", "kraken/rest.openapi.yaml"):
        assert document in printed


def test_a_breaking_change_without_a_major_version_fails(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = write(tmp_path / "new", stream=raised(BROKEN_STREAM, "1.9.0"))
    assert compare(old, new) == 1
    printed = capsys.readouterr().out
    assert "BREAKING" in printed
    assert "at /small ask/action" in printed
    assert "asks for a major version: set info.version to 2.0.0 or above" in printed


def test_a_breaking_change_with_a_major_version_passes(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = write(tmp_path / "new", stream=raised(BROKEN_STREAM, "2.0.0"))
    assert compare(old, new) == 0
    assert "2.0.0 is enough: these changes ask for a major version" in capsys.readouterr().out


@pytest.mark.parametrize(("version", "code"), [("1.0.0", 1), ("1.0.1", 1), ("1.1.0", 0)])
def test_an_addition_asks_for_a_minor_version(
    old: Path, tmp_path: Path, version: str, code: int
) -> None:
    wider = REST.replace("maximum: 10", "maximum: 20")
    assert compare(old, write(tmp_path / "new", rest=raised(wider, version))) == code


@pytest.mark.parametrize(("version", "code"), [("1.0.0", 1), ("1.0.1", 0)])
def test_words_ask_for_a_patch_version(old: Path, tmp_path: Path, version: str, code: int) -> None:
    words = REST.replace("summary: One thing", "summary: Just one thing")
    assert compare(old, write(tmp_path / "new", rest=raised(words, version))) == code


def test_a_version_may_not_go_down(old: Path, tmp_path: Path) -> None:
    assert compare(old, write(tmp_path / "new", rest=raised(REST, "0.9.0"))) == 1


def test_a_document_that_is_gone_needs_the_major_version_of_another(
    old: Path, tmp_path: Path
) -> None:
    new = write(tmp_path / "new")
    (new / "stream.yaml").unlink()
    assert compare(old, new) == 1
    (new / "rest.yaml").write_text(raised(REST, "2.0.0"), "utf-8")
    assert compare(old, new) == 0


def test_a_new_document_asks_for_nothing(old: Path, tmp_path: Path) -> None:
    (old / "stream.yaml").unlink()
    assert compare(old, write(tmp_path / "new")) == 0


def test_a_change_behind_a_reference_to_another_file_is_found(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = write(tmp_path / "new")
    (new / "sizes.yaml").write_text(SIZES.replace("minimum: 0", "minimum: 1"), "utf-8")
    assert compare(old, new) == 1
    assert "at /small ask/size" in capsys.readouterr().out


def test_a_faulty_document_is_named_with_its_place(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = write(tmp_path / "new", stream=STREAM.replace("sizes.yaml", "none.yaml"))
    assert compare(old, new) == 2
    assert "none.yaml" in capsys.readouterr().err
