"""What a wheel brings along for `wagate up`."""

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

from server.pages.folders import FOLDERS
from server.pages.loading import load
from tools import drift

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, pathlib, sys
from server.pages.folders import FOLDERS
from server.pages.loading import load
from server.supervisor.edge import Address, SHIPPED, write_config
ports = {"listener": 1, "node": 2, "realtime": 3}
addresses = {name: Address("127.0.0.1", port) for name, port in ports.items()}
path = write_config(pathlib.Path(sys.argv[1]), **addresses)
print(json.dumps({"shipped": str(SHIPPED), "config": str(path), "pages": sorted(load(FOLDERS))}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True
    )
    return next(folder.glob("*.whl"))


def test_an_installed_wheel_configures_envoy_by_itself(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-index", str(wheel)], check=True)
    # Its dependencies are those of this environment; the package itself is the installed one.
    site = next(path for path in sys.path if path.endswith("site-packages"))
    run = [str(python), "-c", f"import sys; sys.path.append({site!r})\n{PROGRAM}", str(tmp_path / "run")]
    told = json.loads(subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)

    assert str(tmp_path / "venv") in told["shipped"]
    config = yaml.safe_load(Path(told["config"]).read_text())
    assert config["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] == 1
    shipped = Path(told["shipped"])
    assert (shipped / "envoy.yaml").read_bytes() == (ROOT / "envoy.yaml").read_bytes()
    assert told["pages"] == sorted(load(FOLDERS))
    assert (shipped / "rest.binpb").read_bytes() == (ROOT / "gateway-config" / "rest.binpb").read_bytes()


def test_a_wheel_has_the_sandboxs_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        inside = {name for name in packed.namelist() if name.startswith("sandbox/view/")}
    assert inside == {f"sandbox/view/{path.name}" for path in (ROOT / "sandbox" / "view").iterdir()}


def test_drift_names_every_file_that_is_not_as_generated(tmp_path: Path) -> None:
    for side in ("kept", "fresh"):
        (tmp_path / side / "gen").mkdir(parents=True)
        (tmp_path / side / "envoy.yaml").write_text("same")
    (tmp_path / "kept" / "gen" / "old.py").touch()
    (tmp_path / "kept" / "gen" / "edited.py").write_text("edited")
    (tmp_path / "fresh" / "gen" / "edited.py").write_text("generated")
    (tmp_path / "fresh" / "gen" / "new.py").touch()

    assert drift.differences(tmp_path / "kept", tmp_path / "fresh") == [
        "gen/new.py is missing",
        "gen/old.py is generated from nothing",
        "gen/edited.py differs from what it is generated from",
    ]
