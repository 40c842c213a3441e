"""A port or a folder that cannot be used is one line that names the variable to set."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from cagolab.launcher.errors import LauncherError
from cagolab.launcher.ports import (
    LOCALHOST,
    data_folder,
    free_port,
    is_listening,
    only_one,
    require_free_port,
)


def test_a_free_port_is_accepted() -> None:
    require_free_port(free_port(), variable="PORT")


def test_a_port_in_use_names_the_variable_that_chooses_another() -> None:
    with socket.create_server((LOCALHOST, 0)) as server:
        port = server.getsockname()[1]
        assert is_listening(port)

        with pytest.raises(LauncherError) as caught:
            require_free_port(port, variable="SANDBOX_PORT")

    assert str(caught.value) == f"Port {port} is in use: choose another one with SANDBOX_PORT=NUMBER."


def test_a_number_that_is_no_port_is_refused() -> None:
    with pytest.raises(LauncherError, match=r"^Port 70000 is no port number"):
        require_free_port(70000, variable="PORT")


def test_the_data_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CAGOLAB_DATA", raising=False)
    assert data_folder(tmp_path / "repository", "demo") == tmp_path / "repository" / "var" / "demo"

    monkeypatch.setenv("CAGOLAB_DATA", str(tmp_path / "elsewhere"))
    assert data_folder(tmp_path / "repository", "demo") == tmp_path / "elsewhere" / "demo"


def test_a_data_folder_that_is_a_file_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CAGOLAB_DATA", str(tmp_path / "file"))

    with pytest.raises(LauncherError, match="CAGOLAB_DATA"):
        data_folder(tmp_path, "demo")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_to_write_names_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    monkeypatch.setenv("CAGOLAB_DATA", str(closed))

    with pytest.raises(LauncherError, match=r"^No permission to write in .*CAGOLAB_DATA"):
        data_folder(tmp_path, "demo")


def test_a_second_run_in_the_same_folder_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    with (
        only_one(tmp_path),
        pytest.raises(LauncherError, match="in use by another run"),
        only_one(tmp_path),
    ):
        pass

    with only_one(tmp_path):
        pass
