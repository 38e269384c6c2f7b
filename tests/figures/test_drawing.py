import os
import subprocess
import sys
from pathlib import Path

import pytest

from oncotrail.figures.drawing import COLOURS, DASHES, STYLE, line_style, new_figure, save, styled
from tests.figures.made import draw

ROOT = Path(__file__).parents[2]
FILES = ["history.png", "history.svg", "roc.png", "roc.svg"]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn in this process."""
    folder = tmp_path_factory.mktemp("here")
    draw(folder)
    return folder


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn in another process, where warnings are errors and the reader has another style."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "matplotlibrc").write_text("font.size: 30\nlines.linewidth: 9\n")
    code = "import sys, pathlib, tests.figures.made as made; made.draw(pathlib.Path(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(folder)],
        check=True,
        cwd=ROOT,
        env=os.environ | {"MATPLOTLIBRC": str(folder)},
    )
    return folder


@pytest.mark.parametrize("name", FILES)
def test_two_processes_draw_the_same_bytes(here: Path, elsewhere: Path, name: str) -> None:
    assert (here / name).read_bytes() == (elsewhere / name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_no_figure_says_when_and_by_what_it_was_made(here: Path, name: str) -> None:
    for word in (b"Matplotlib", b"dc:date", b"Software", b"tIME"):
        assert word not in (here / name).read_bytes()


def test_importing_figures_does_not_import_matplotlib() -> None:
    code = (
        "import sys, oncotrail.figures.roc, oncotrail.figures.history;"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_style_is_ours_inside_and_the_readers_outside() -> None:
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 31.0}):
        with styled():
            assert mpl.rcParams["font.size"] == STYLE["font.size"]
        assert mpl.rcParams["font.size"] == 31.0


def test_no_figure_enters_the_global_list_of_pyplot(tmp_path: Path) -> None:
    save(new_figure(2, 2), tmp_path / "empty.svg")
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []


def test_lines_differ_in_colour_and_in_dashes() -> None:
    styles = [line_style(place) for place in range(len(COLOURS))]
    assert len({style["color"] for style in styles}) == len(COLOURS) == len(DASHES)
    assert len({str(style["linestyle"]) for style in styles}) == len(DASHES)
    assert line_style(len(COLOURS)) == line_style(0)
