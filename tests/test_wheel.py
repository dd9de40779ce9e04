import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from platformdirs import user_cache_dir

from tests.test_shape import ROOT, project_files

NESTED = ("index", "ui", "eval", "prompts")
DECOYS = ("index", "ui", "eval", "prompts")
SCRIPT = """
import sys
from pathlib import Path
import rag, rag.eval, rag.index, rag.ui
from rag.cli import main
from rag.prompting import write_prompt

def onrecord(*arguments):
    try:
        main(arguments)
    except SystemExit as left:
        assert not left.code, left.code

target, articles, archive = map(Path, sys.argv[1:])
assert all(target in Path(module.__file__).parents for name, module in sys.modules.items() if name.startswith("rag"))
assert "Where do owls nest?" in write_prompt("Where do owls nest?", []).user
onrecord("index", str(articles), "--archive", str(archive))
onrecord("ask", "Where have barn owls nested?", "--archive", str(archive))
"""


def run(*command: object, folder: Path, path: Path | None = None) -> str:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    environment["XDG_CACHE_HOME"] = user_cache_dir()  # where the model was prepared for this machine
    environment |= {"PYTHONPATH": str(path)} if path else {}
    words = [sys.executable, *map(str, command)]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the project so that nothing is left behind in it."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "project"
    for path in [Path("pyproject.toml"), *project_files()]:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, copy / path)
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, folder=copy)
    (built,) = folder.glob("*.whl")
    return built


def test_a_wheel_holds_one_import_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}

    assert {name for name in top if not name.endswith(".dist-info")} == {"rag"}
    assert len(top) == 2


def test_a_wheel_holds_all_of_the_library_and_its_programs(wheel: Path) -> None:
    nested = {path.as_posix() for path in project_files() if path.parts[0] in NESTED and path.suffix != ".md"}
    library = {path.as_posix() for path in project_files() if path.parts[0] == "rag"}
    prompts = {path.as_posix() for path in project_files() if path.match("prompts/*.md")}

    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert names == library | {f"rag/{name}" for name in nested | prompts}


def test_an_installed_wheel_answers_beside_modules_of_the_same_names(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    run("-m", "pip", "install", "--no-deps", "--no-index", "--target", target, wheel, folder=tmp_path)
    for name in DECOYS:
        (target / f"{name}.py").write_text("raise ImportError('not ours')")
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "owls.txt").write_text("Three barn owls have nested in the old mill at Ferrow.")

    out = run("-c", SCRIPT, target, tmp_path / "articles", tmp_path / "archive", folder=tmp_path, path=target)

    assert out.splitlines()[1] == "Three barn owls have nested in the old mill at Ferrow. [1]"
