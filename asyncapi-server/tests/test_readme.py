"""The commands and samples of the README and of the guide run as they stand, from the wheel."""

from __future__ import annotations

import re
import socket
import zipfile
from pathlib import Path

import pytest

from support.wheel import ROOT, Installed

README = (ROOT / "README.md").read_text("utf-8")
GUIDE = (ROOT / "docs" / "first-server.md").read_text("utf-8")
CHAT = (ROOT / "examples" / "chat.py").read_text("utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```sh\n(.*?)```", README, re.S)
    for line in block.splitlines()
    if line.strip()
]
SERVING = [command for command in COMMANDS if re.search(" (mock|serve) ", command)]
TESTING = [command for command in COMMANDS if " test " in command]
[DIFFERENCES] = re.findall(r"```\n(shorter.*?)```", README, re.S)
KRAKEN = ("public", "private")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("wheel"))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def contract_test(port: int, *, is_limited: bool = True) -> str:
    """The README's contract test at another port, with fewer messages: each constraint is broken
    by itself before. Its rate is for a server that is limited, and the mock is not."""
    [command] = TESTING
    command = re.sub(r"localhost:\d+", f"127.0.0.1:{port}", command)
    command = command.replace("--messages 300", "--messages 120")
    return command if is_limited else command.replace(" --rate 15", "")


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in SERVING + TESTING])
def test_a_command_runs(installed: Installed, command: str) -> None:
    done = installed.run(command)
    if " diff " in command:
        assert (done.returncode, done.stdout) == (1, DIFFERENCES)
    else:
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", SERVING)
def test_what_is_served_keeps_to_its_document(installed: Installed, command: str) -> None:
    port = free_port()
    words = re.sub(r"--port \d+", f"--port {port}", command).split()
    with installed.serving(*words) as line:
        assert line == f"serves ws://127.0.0.1:{port}/chat"
        done = installed.run(contract_test(port, is_limited=" serve " in command))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 violations" in done.stdout


@pytest.mark.parametrize("side", KRAKEN)
def test_each_side_of_kraken_is_mocked_and_tested(installed: Installed, side: str) -> None:
    document = f"examples/kraken/{side}.asyncapi.yaml"
    with installed.serving("asyncapi-server", "mock", document, "--port", "0") as line:
        url = line.removeprefix("serves ")
        done = installed.run(f"asyncapi-server test {document} --url {url} --messages 200")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_server_of_the_readme_keeps_to_its_document(installed: Installed) -> None:
    assert re.findall(r"```python\n(.*?)```", README, re.S) == [CHAT]
    port = free_port()
    program = installed.folder / "examples" / "served.py"
    program.write_text(
        CHAT.replace("port=8080", f"port={port}").replace(
            '"chat.asyncapi.yaml"', '"examples/chat.asyncapi.yaml"'
        )
    )
    with installed.serving("python", "-u", str(program)):
        done = installed.run(contract_test(port))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_guide_shows_the_same_server() -> None:
    shown = "".join(re.findall(r"```python\n(.*?)```", GUIDE, re.S)[0].split())
    without_docstrings = re.sub(r'^ *""".*"""\n', "", CHAT, flags=re.M)
    assert shown == "".join(without_docstrings.split())


def test_the_libraries_that_it_depends_on_are_enough(installed: Installed) -> None:
    done = installed.run("asyncapi-server check examples/chat.asyncapi.yaml", bare=True)
    assert (done.returncode, done.stderr) == (0, "")
    command = ("asyncapi-server", "mock", "examples/chat.asyncapi.yaml", "--port", "0")
    with installed.serving(*command, bare=True) as line:
        url = line.removeprefix("serves ")
        tests = f"asyncapi-server test examples/chat.asyncapi.yaml --url {url}"
        assert "install asyncapi-server[test]" in installed.run(tests, bare=True).stderr
        assert installed.run(f"{tests} --messages 50").returncode == 0


def test_the_wheel_has_what_it_needs_and_no_tests(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = wheel.namelist()
        size = sum(each.file_size for each in wheel.infolist())
    assert "asyncapi_server/py.typed" in names
    assert any(name.endswith("metaschemas/3.1.0.json.gz") for name in names)
    assert not [name for name in names if "tests" in Path(name).parts]
    assert size < 5 * 2**20
