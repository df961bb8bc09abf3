"""The public face: every name is there, is what its home says, and costs nothing until it is used."""

import subprocess
import sys

import bezoar


def test_every_public_name_comes_from_its_home():
    for name in bezoar.__all__:
        value = getattr(bezoar, name)
        assert value is not None
        if name != "__version__":
            assert not isinstance(value, type(sys)), f"{name} is a module"


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(bezoar, "scam")


def test_importing_bezoar_imports_no_heavy_library():
    code = "import bezoar, sys; print(sorted({'torch', 'open_clip', 'pyarrow', 'sklearn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
