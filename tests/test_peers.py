import contextlib
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from eval.errors import EvalError
from eval.peer import KNOWN_PEERS, Found, KnownPeer, Peer, installed_peers, metadata_of, open_peer, text_of
from rag import Article
from rag.embedding import Embedder
from tests.conftest import ROOT

NAMES = ["llamaindex", "langchain", "haystack", "txtai"]
STORIES = [
    Article(
        "owl",
        "Owls return to the old mill",
        "Three barn owls have nested in the old mill at Ferrow.",
        date="2022-06-14",
    ),
    Article(
        "bridge", "Ferrow bridge to close", "The stone bridge will close for eleven weeks from August.", "County Wire"
    ),
    Article("bakery", "A bakery burns down", "Firemen fought the blaze in the bakery on Mill Street all night."),
    Article("school", "The school gets a new head", "Ines Valko will lead the village school from September."),
    Article("flood", "River floods the meadow", "After a week of rain the river Fer stood two metres above its bed."),
]
HOSTILE = [
    Article(
        "https://ferrow.example/a b?id=1&x=%20#top'\"",
        '<b>Quinces</b> & "pears" {{ title }} ${1}',
        "<script>alert('quinces')</script> The quince harvest is\u00a0rich; SELECT * FROM txtai; -- :question 🍐",
        "Ferrow 'Herald'; DROP TABLE articles",
        "2022-10-01",
    ),
    Article("../..\\untitled\n:1", "", "A lighthouse without a headline was lit again on the cape of Orn."),
    Article("7", "Number seven", "The tram number seven runs again between the station and the harbour."),
]
LONG = Article(
    "long",
    "A report of the harbour",
    "\n\n".join(f"Crane {n} lifted {n * 7} crates of herring. " * 12 for n in range(40)),
)

# Prints every look-up of a host and every connection, until Python has ended and what was queued would have been sent.
SPEAKING = """
import sys
sys.addaudithook(lambda event, told: print(event, told) if event in ("socket.connect", "socket.getaddrinfo") else None)

from contextlib import closing
from pathlib import Path
from eval.peer import installed_peers, open_peer
from rag import Article
from rag.embedding import Embedder
from rag.models import PACKAGED_MODEL

embedder = Embedder.open(PACKAGED_MODEL)
for known in installed_peers():
    with closing(open_peer(known.name, Path(sys.argv[1]) / known.name, embedder)) as peer:
        peer.add([Article("owl", "Owls return", "Three barn owls have nested in the old mill.")])
        print(known.name, peer.search("Where do the owls nest?", 1)[0].article_id)
"""


@pytest.fixture(params=KNOWN_PEERS, ids=lambda known: known.name)
def known(request: pytest.FixtureRequest) -> KnownPeer:
    """Every peer in turn."""
    peer: KnownPeer = request.param
    if missing := peer.missing():
        pytest.skip(f"{peer.title} needs {', '.join(missing)}: pip install onrecord[peers]")
    return peer


@pytest.fixture
def peer(known: KnownPeer, tmp_path: Path, embedder: Embedder) -> Iterator[Peer]:
    """A peer over an empty folder."""
    with contextlib.closing(open_peer(known.name, tmp_path / "peer", embedder)) as opened:
        yield opened


def texts_of(found: list[Found]) -> str:
    return " ".join(" ".join(each.text.split()) for each in found)


def test_a_peer_finds_the_article_that_answers(peer: Peer) -> None:
    assert peer.add(iter(STORIES)) >= len(STORIES)

    found = peer.search("Where do the owls nest?", 3)

    assert len(found) == 3
    assert found[0].article_id == "owl"
    assert "Three barn owls have nested in the old mill at Ferrow." in found[0].text
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_a_peer_gives_no_more_than_there_are(peer: Peer) -> None:
    count = peer.add(STORIES)

    found = peer.search("Is the bridge open?", 100)

    assert found[0].article_id == "bridge"
    assert 1 < len(found) <= count
    assert {each.article_id for each in found} <= {article.id for article in STORIES}


def test_a_peer_without_articles_finds_nothing(peer: Peer) -> None:
    assert peer.add([]) == 0
    assert peer.search("Where do the owls nest?", 3) == []


def test_a_peer_that_is_opened_again_finds_the_same(known: KnownPeer, tmp_path: Path, embedder: Embedder) -> None:
    with contextlib.closing(open_peer(known.name, tmp_path / "peer", embedder)) as first:
        first.add(STORIES[:3])
        first.add(STORIES[3:])
        found = first.search("Who leads the school?", 20)

    with contextlib.closing(open_peer(known.name, tmp_path / "peer", embedder)) as second:
        again = second.search("Who leads the school?", 20)

    assert [each.article_id for each in again] == [each.article_id for each in found]
    assert [each.text for each in again] == [each.text for each in found]
    assert again[0].article_id == "school"


def test_a_long_article_goes_in_as_chunks_of_it_with_nothing_lost(peer: Peer) -> None:
    count = peer.add([LONG])

    found = peer.search("What did crane 33 lift?", count)

    assert 5 < count == len(found)
    assert {each.article_id for each in found} == {"long"}
    assert all(" ".join(each.text.split()) in " ".join(text_of(LONG).split()) for each in found)
    assert all(f"Crane {n} lifted {n * 7} crates of herring." in texts_of(found) for n in range(40))


def test_hostile_articles_go_in_and_out_intact(peer: Peer) -> None:
    peer.add(HOSTILE)

    found = peer.search("What's \"the\" quince harvest'; DROP TABLE sections; -- {{ x }} :question <b>like</b>?", 10)

    assert {each.article_id for each in found} == {article.id for article in HOSTILE}
    assert found[0].article_id == HOSTILE[0].id
    for article in HOSTILE:
        mine = texts_of([each for each in found if each.article_id == article.id])
        assert " ".join(article.text.split()) in mine
        assert article.title in mine


def test_an_article_whose_headline_is_longer_than_a_chunk_goes_in(peer: Peer) -> None:
    count = peer.add([Article("pears", "🍐 pears " * 200, "The pear harvest is rich.")])

    found = peer.search("How is the pear harvest?", count)

    assert {each.article_id for each in found} == {"pears"}
    assert "The pear harvest is rich." in texts_of(found)


def test_a_peer_reads_the_title_a_blank_line_and_the_text() -> None:
    assert (
        text_of(STORIES[0]) == "Owls return to the old mill\n\nThree barn owls have nested in the old mill at Ferrow."
    )
    assert text_of(HOSTILE[1]) == HOSTILE[1].text
    assert metadata_of(STORIES[0]) == {
        "article_id": "owl",
        "title": "Owls return to the old mill",
        "source": "",
        "date": "2022-06-14",
    }


def test_the_peers_are_known_by_name() -> None:
    assert [known.name for known in KNOWN_PEERS] == NAMES
    assert {known.name for known in installed_peers()} <= set(NAMES)
    assert all(set(known.versions()) == set(known.distributions) for known in installed_peers())


def test_an_unknown_peer_is_refused(tmp_path: Path, embedder: Embedder) -> None:
    with pytest.raises(
        EvalError, match=r"^There is no peer 'oracle'\. Choose from llamaindex, langchain, haystack, tx"
    ):
        open_peer("oracle", tmp_path, embedder)


def test_a_peer_that_is_missing_says_how_to_install_it(tmp_path: Path) -> None:
    for installed in Path(sysconfig.get_path("purelib")).iterdir():
        if not installed.name.startswith("txtai"):
            (tmp_path / installed.name).symlink_to(installed)
    script = "from eval.peer import *; from pathlib import Path; open_peer('txtai', Path('never-made'), None)"

    # With -S, Python looks for libraries in that folder alone.
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-S", "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.stderr.splitlines()[-1] == (
        'eval.errors.EvalError: txtai needs txtai. Install it with: pip install "onrecord[peers]"'
    )
    assert not (ROOT / "never-made").exists()


def test_no_peer_speaks_to_a_server_or_writes_beside_its_folder(tmp_path: Path) -> None:
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    cache.mkdir()
    (cache / "onrecord").symlink_to(user_cache_path("onrecord"))  # our model, as it was prepared for this machine
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "XDG_CACHE_HOME": str(cache)}
    environment |= {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "none", "HAYSTACK_TELEMETRY_ENABLED": "True"}
    command = [sys.executable, "-c", SPEAKING, str(tmp_path / "peers")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [f"{known.name} owl" for known in installed_peers()]
    # What is not Python is not seen to connect; but it keeps a file of what it has to tell.
    assert [*home.iterdir(), *cache.iterdir()] == [cache / "onrecord"]
