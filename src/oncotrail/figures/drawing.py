"""How every figure looks and is saved: one column wide, told apart without colour, the same bytes.

No pyplot: it keeps figures in a global list and asks for a display. matplotlib is imported inside
the functions, because importing it takes longer than most stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMN_WIDTH = 3.35  # inches: 85 mm, one column of most journals
DOTS_PER_INCH = 300

# Okabe and Ito's colours (2008), which people with any colour vision tell apart; with dashes beside
# them, so that a black-and-white print does too. Yellow is left out: it is too pale for a line.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)))

STYLE: dict[Any, Any] = {  # matplotlib types each key
    "font.size": 7.5,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "svg.fonttype": "path",  # the same letters wherever it is opened
    "svg.hashsalt": "oncotrail",  # element ids are otherwise random
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in our style, whatever the reader's own matplotlibrc says; theirs comes back after."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure that no global list knows; inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def line_style(place: int) -> dict[str, Any]:
    """Colour and dashes of the line drawn in this place."""
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": DASHES[place % len(DASHES)]}


def save(figure: Figure, *paths: Path) -> None:
    """Write as SVG or PNG, by the ending, without date and software."""
    without = {
        ".svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
        ".png": {"Software": None},
    }
    with styled():
        for path in paths:
            figure.savefig(path, dpi=DOTS_PER_INCH, metadata=without[path.suffix])
