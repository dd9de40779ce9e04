import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag

ROOT = Path(__file__).parent.parent
PROGRAMS = ("index", "ui", "eval")
HEAVY = {
    "chromadb",
    "faiss",
    "gradio",
    "haystack",
    "langchain_chroma",
    "langchain_core",
    "langsmith",
    "llama_index",
    "numpy",
    "onnxruntime",
    "openvino",
    "rensa",
    "sentence_transformers",
    "tantivy",
    "tokenizers",
    "torch",
    "trafilatura",
    "transformers",
    "txtai",
}
HOMES: dict[str, str | tuple[str, ...]] = {
    "chromadb": "rag/vectors.py",
    # A model that is run, and one that is made.
    "sentence_transformers": ("rag/exporting.py", "rag/exporting_readers.py", "eval/training.py"),
    "torch": ("rag/exporting.py", "rag/exporting_readers.py", "eval/training.py"),
    "transformers": ("rag/exporting.py", "rag/exporting_readers.py"),
    "onnxruntime": "rag/inference.py",
    "openvino": "rag/inference.py",
    "tokenizers": "rag/inference.py",
    "llama_index": ("rag/generation.py", "rag/llamaindex.py"),  # what we ask of it, and what it may ask of us
    "langchain_core": "rag/langchain.py",
    "tantivy": "rag/lexical.py",
    "rensa": "rag/stories.py",
    "trafilatura": "rag/pages.py",
    "gradio": "ui/",
    "ir_measures": "eval/retrieval_measures.py",
    "haystack": "eval/peer_haystack.py",
    "haystack_integrations": "eval/peer_haystack.py",
    "langchain_chroma": "eval/peer_langchain.py",
    "langchain_text_splitters": "eval/peer_langchain.py",
    "txtai": "eval/peer_txtai.py",
}
# The other side of the measurements, which needs for itself what has its home elsewhere.
PEERS = {
    "eval/stock.py",
    "eval/stock_search.py",
    "eval/peer_haystack.py",
    "eval/peer_langchain.py",
    "eval/peer_llamaindex.py",
    "eval/peer_txtai.py",
}


def project_files() -> list[Path]:
    """Give the files of the project, those that are not committed yet among them."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [Path(name) for name in sorted({*names}) if (ROOT / name).is_file()]


def modules(*folders: str) -> list[Path]:
    return [path for path in project_files() if path.suffix == ".py" and path.parts[0] in folders]


def imports(path: Path) -> Iterator[str]:
    """Yield the names of the modules that a file imports anywhere; one of its own package begins with a dot."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_in(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def test_the_public_names_are_sorted_and_complete() -> None:
    declared = [
        alias.name
        for node in ast.walk(ast.parse((ROOT / "rag/__init__.py").read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rag.")
        for alias in node.names
    ]
    assert rag.__all__ == sorted(rag.__all__)
    assert dir(rag) == rag.__all__
    assert sorted(declared) == rag.__all__


def test_the_public_names_can_be_imported() -> None:
    assert [getattr(rag, name).__name__ for name in rag.__all__] == rag.__all__
    with pytest.raises(AttributeError, match="module 'rag' has no attribute 'Nonsense'"):
        _ = rag.Nonsense


def test_importing_the_library_loads_nothing_heavy() -> None:
    script = "import sys, rag; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert not HEAVY & set(loaded.stdout.split())


def test_the_library_imports_no_program() -> None:
    forbidden = [*PROGRAMS, *(f"rag.{program}" for program in PROGRAMS)]
    paths = modules("rag")

    assert len(paths) > 10
    assert [(path, name) for path in paths for name in imports(path) if any(is_in(name, f) for f in forbidden)] == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_imports_no_other_and_itself_by_a_dot(program: str) -> None:
    forbidden = [*PROGRAMS, *(f"rag.{name}" for name in PROGRAMS)]
    found = [(path, name) for path in modules(program) for name in imports(path)]

    assert [(path, name) for path, name in found if any(is_in(name, f) for f in forbidden)] == []


@pytest.mark.parametrize(("library", "home"), HOMES.items(), ids=HOMES)
def test_a_library_is_imported_at_home_only(library: str, home: str | tuple[str, ...]) -> None:
    paths = modules("rag", *PROGRAMS)
    users = {path.as_posix() for path in paths if any(is_in(name, library) for name in imports(path))}
    at_home = {user for user in users if user.startswith(home)}

    assert at_home
    assert users - at_home <= PEERS


def test_no_test_replaces_a_part_of_what_it_tests() -> None:
    for path in modules("tests"):
        nodes = list(ast.walk(ast.parse((ROOT / path).read_text())))
        arguments = {node.arg for node in nodes if isinstance(node, ast.arg)}
        changes = {node.attr for node in nodes if isinstance(node, ast.Attribute) and _is_monkeypatch(node.value)}

        assert not any(is_in(name, mock) for name in imports(path) for mock in ("unittest.mock", "mock", "pytest_mock"))
        assert "mocker" not in arguments
        assert changes <= {"setenv", "delenv", "chdir", "syspath_prepend"}


def _is_monkeypatch(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "monkeypatch"


def test_no_file_names_a_folder_of_one_machine() -> None:
    folders = [f"/{name}/".encode() for name in ("work", "root")]
    named = [path for path in project_files() if any(folder in (ROOT / path).read_bytes() for folder in folders)]

    assert named == []
