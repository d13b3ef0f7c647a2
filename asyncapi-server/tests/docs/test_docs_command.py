"""The command `docs` writes one page, or a site of several."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from asyncapi_server.docs import command
from support.htmlpage import read
from support.rendered import SHOWCASE, SUITE
from support.rooms import DOCUMENTS


def docs(*words: str) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


PING = DOCUMENTS / "pingpong_3.1.yaml"


def test_one_document_is_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "desk.html"
    assert docs(str(SHOWCASE), "--to", str(path)) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert "Lending desk" in read(path.read_text("utf-8")).words


def test_one_document_in_a_folder_is_its_index(tmp_path: Path) -> None:
    assert docs(str(SHOWCASE), "--to", str(tmp_path)) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_several_documents_are_a_site(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    assert docs(str(SHOWCASE), str(PING), "--to", str(tmp_path), "--title", "All") == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"index.html", "kept.txt", "showcase.html", "pingpong_3.1.html"}
    index = read((tmp_path / "index.html").read_text("utf-8"))
    assert {"showcase.html", "pingpong_3.1.html"} <= set(index.links)
    assert (
        "Lends and takes back what a library has. One connection serves one reader." in index.words
    )
    assert "1 channel, 7 messages" in index.words
    assert "index.html" in read((tmp_path / "showcase.html").read_text("utf-8")).links


def test_documents_of_one_name_have_pages_of_their_own(tmp_path: Path) -> None:
    paths = []
    for name in ("one/api.yaml", "two/api.yaml", "two/api.json", "index.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"asyncapi": "3.0.0", "info": {"title": "T", "version": "1"}}')
        paths.append(str(path))
    out = tmp_path / "out"
    assert docs(*paths, paths[0], "--to", str(out)) == 0
    assert len(list(out.iterdir())) == 5
    assert len(set(read((out / "index.html").read_text("utf-8")).links)) == 5  # with the icon


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([str(SHOWCASE), str(PING), "--to", "{}/all.html"], "a file holds one document"),
        ([str(SUITE / "fault-yaml-3.1.yaml"), "--to", "{}"], "not YAML"),
        (["{}/absent.yaml", "--to", "{}"], "cannot be read"),
        ([str(SHOWCASE), "--to", "{}/file/desk.html"], "cannot be written"),
        ([str(SHOWCASE), "--to", "{}/folder.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.html").mkdir()
    assert docs(*(each.format(tmp_path) for each in arguments)) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
