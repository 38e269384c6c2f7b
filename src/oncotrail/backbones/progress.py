"""Watching a network train: curves for the record; a bar on a terminal, lines in a log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Protocol

from oncotrail.backbones.judging import Epoch


class Told(Protocol):
    """Who hears of a training: a stage's run, or a part's share of it."""

    @property
    def key(self) -> str:
        """What trains, in a word or two."""
        ...

    def epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Record one epoch's figures."""
        ...

    def say(self, line: str) -> None:
        """Tell the person at the terminal one line."""
        ...


@contextmanager
def watched(run: Told, epochs: int) -> Iterator[Callable[[Epoch], None]]:
    """A listener for the loop's `on_epoch`, which records each epoch as it ends and shows it."""
    with _shown(run, epochs) as show:

        def on_epoch(epoch: Epoch) -> None:
            run.epoch(epoch.epoch, curves(epoch))
            show(epoch)

        yield on_epoch


@contextmanager
def _shown(run: Told, epochs: int) -> Iterator[Callable[[Epoch], None]]:
    if not sys.stdout.isatty():
        yield lambda epoch: run.say(line(epoch, epochs))
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(
        TextColumn(run.key),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
    ) as bar:
        task = bar.add_task("", total=epochs)
        yield lambda epoch: bar.update(task, advance=1, description=glance(epoch))


def curves(epoch: Epoch) -> dict[str, float]:
    """One epoch's figures under `epoch/`, so that evaluation's `validation_auc` stays its own."""
    values = asdict(epoch)
    del values["epoch"]
    return {f"epoch/{name}": value for name, value in values.items()}


def line(epoch: Epoch, epochs: int) -> str:
    """One epoch for a log."""
    return (
        f"epoch {epoch.epoch:>{len(str(epochs))}}/{epochs}  loss {epoch.train_loss:.3f}, "
        f"validation loss {epoch.validation_loss:.3f}, "
        f"accuracy {epoch.validation_accuracy:.3f}, AUC {epoch.validation_auc:.3f}"
    )


def glance(epoch: Epoch) -> str:
    """What fits beside a bar on 80 columns."""
    return f"loss {epoch.validation_loss:.3f}, AUC {epoch.validation_auc:.3f}"
