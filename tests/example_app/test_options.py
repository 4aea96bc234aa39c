"""What ``python -m example_app`` understands, where it listens, what it writes down."""

from __future__ import annotations

from pathlib import Path

import pytest

from example_app.options import INSTANCE_VARIABLE
from example_app.options import parse_options
from example_app.ports import address_of
from example_app.ports import open_socket


def test_without_arguments_it_starts_at_5000_in_the_instance_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(INSTANCE_VARIABLE, raising=False)
    options = parse_options([])
    assert options.port == 5000
    assert options.instance == Path("instance").resolve()
    assert not options.as_json


def test_the_environment_names_the_folder_and_the_argument_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(INSTANCE_VARIABLE, str(tmp_path / "one"))
    assert parse_options([]).instance == tmp_path / "one"
    chosen = parse_options(["--instance", str(tmp_path / "two"), "--json"])
    assert chosen.instance == tmp_path / "two"
    assert chosen.as_json


ARABIC_5000 = "\u0665\u0660\u0660\u0660"


@pytest.mark.parametrize(
    "port", ["0", "80", "65535", "1_0000", ARABIC_5000, "-1", "", "x"]
)
def test_a_port_that_cannot_be_used_is_refused(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse_options([f"--port={port}"])
    assert stopped.value.code == 2
    assert "a port is" in capsys.readouterr().err


def test_a_port_in_use_is_passed_over_for_the_next_free_one() -> None:
    with open_socket(47_310) as first:
        taken = first.getsockname()[1]
        with open_socket(taken) as second:
            assert second.getsockname()[1] > taken


def test_only_this_machine_can_reach_it() -> None:
    with open_socket(47_310) as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        assert address_of(listener) == f"http://127.0.0.1:{port}"
