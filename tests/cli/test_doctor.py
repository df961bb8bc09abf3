from __future__ import annotations

import json
from pathlib import Path

import pytest

from bezoar.cli import doctor, main


def test_doctor_tells_what_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "_MEASURE_S", 0.0)
    monkeypatch.setenv("BEZOAR_CACHE", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    (tmp_path / "index").write_bytes(b"x" * 1000)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert main(["doctor", "--device", "cpu", "--json"]) == 0
    out, _ = capsys.readouterr()
    found = json.loads(out)
    assert found["device"] == "cpu"
    assert found["machine"]["python"].startswith("3.")
    assert found["packages"]["torch"]
    assert all(found["packages"].values()), found["packages"]
    assert set(found["gflops"]) == {"float32", "bfloat16"}
    assert min(found["gflops"].values()) > 0
    own = next(cache for cache in found["caches"] if cache["name"] == "bezoar")
    assert own["path"] == str(tmp_path)
    assert 1000 <= own["bytes"] < 2000
    assert main(["doctor", "--device", "cpu"]) == 0
    assert "GFLOP/s" in capsys.readouterr().out
