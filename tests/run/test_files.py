from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bezoar.run import BezoarError, write_bytes, write_json, writing


class Unlucky(Exception):
    pass


@pytest.mark.parametrize("stop", [Unlucky, KeyboardInterrupt])
def test_an_interrupted_write_leaves_what_was_there(tmp_path: Path, stop: type[BaseException]) -> None:
    def write_half(name: str) -> None:
        with writing(tmp_path / name) as file:
            file.write(b"half")
            raise stop

    write_bytes(tmp_path / "scores", b"old")
    for name in ("scores", "new"):
        with pytest.raises(stop):
            write_half(name)
    assert [item.name for item in tmp_path.iterdir()] == ["scores"]
    assert (tmp_path / "scores").read_bytes() == b"old"


def test_a_killed_process_leaves_no_file_under_the_name(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom bezoar.run import writing\n"
        "with writing(Path(sys.argv[1])) as f:\n"
        " f.write(b'half'); f.flush(); print('ready', flush=True); time.sleep(60)"
    )
    path = tmp_path / "scores"
    environment = {**os.environ, "PYTHONPATH": "src"}
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, env=environment) as work:
        assert work.stdout is not None
        assert work.stdout.readline() == b"ready\n"
        time.sleep(0.05)
        work.send_signal(signal.SIGKILL)
    assert not path.exists()
    write_bytes(path, b"whole")
    assert path.read_bytes() == b"whole"


def test_a_full_disk_is_a_sentence_with_code_3(tmp_path: Path) -> None:
    with pytest.raises(BezoarError, match="Disk full at scores") as caught, writing(tmp_path / "scores"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.code == 3
    assert list(tmp_path.iterdir()) == []


def test_json_without_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"value": float("nan")})
    assert list(tmp_path.iterdir()) == []
