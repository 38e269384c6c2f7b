"""MLflow made to say what the files say.

For each page that the files ask for (`pages`), the run with its key is looked up:

    none there            it is made
    says the same         nothing is done: one tag tells
    says less             it is completed: a live run, or a model that was evaluated again
    says something else   it is deleted and made anew, because MLflow cannot unsay

Nothing of that depends on who made the runs, so a clone that pulled ends like the one that
computed, and a sync that was killed is finished by the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from oncotrail.tracking import labels, stamp
from oncotrail.tracking.pages import Page, pages_of
from oncotrail.tracking.provenance import provenance
from oncotrail.tracking.registry import Place, declared_in, register
from oncotrail.tracking.store import Store, home_of, locked, open_store, tracking_uri, translated
from oncotrail.tracking.unfinished import end_abandoned
from oncotrail.tracking.views import show_models_first
from oncotrail.tracking.writing import complete, contradicts, make

if TYPE_CHECKING:
    from mlflow.entities import Run


@dataclass(frozen=True)
class Synced:
    """What a sync found and did."""

    runs: int  # pages that the files ask for
    models: int  # models that the files declare
    made: int = 0  # runs that MLflow lacked
    completed: int = 0  # runs that said less, or something else
    versions: int = 0  # model versions that the registry lacked
    aliases: int = 0  # aliases that pointed elsewhere

    def __str__(self) -> str:
        changes = (self.made, self.completed, self.versions, self.aliases)
        if not any(changes):
            return f"MLflow says what the files say: {self.runs} runs, {self.models} models."
        return (
            f"{self.runs} runs ({self.made} new, {self.completed} completed), "
            f"{self.models} models ({self.versions} new versions, {self.aliases} aliases moved)."
        )


def sync(root: Path) -> Synced:
    """Bring MLflow up to the files below `root`; doing it twice is doing it once."""
    pages = pages_of(root)
    models = declared_in(root)
    asked = [page.digest() for page in pages] + [model.digest() for model in models]
    if stamp.still_holds(root, tracking_uri(root), asked):
        return Synced(len(pages), len(models))
    store = open_store(root)
    with locked(store.home, "sync"), translated(store.uri):
        # In a copy that DVC made for a queued experiment, the repository's own files are untouched.
        is_workspace = home_of(root) == root.resolve()
        runs = _Runs(store, root, pages)
        runs.bring_up(is_workspace=is_workspace)
        for study in sorted({page.study for page in pages}):
            show_models_first(store, root, study)
        registered = register(store, models, runs.places, move_aliases=is_workspace)
    stamp.write(root, store.uri, asked)
    return Synced(
        len(pages),
        len(models),
        runs.made,
        runs.completed,
        registered.versions,
        registered.aliases,
    )


class _Runs:
    """The runs of one sync: which key is which run, and what was done about it."""

    def __init__(self, store: Store, root: Path, pages: list[Page]) -> None:
        self.made = 0
        self.completed = 0
        self.places: dict[str, Place] = {}  # run key -> where its run is
        self._store = store
        self._pages = pages
        self._experiments = {
            study: store.experiment(study) for study in sorted({page.study for page in pages})
        }
        self._root = root

    def bring_up(self, *, is_workspace: bool) -> None:
        """Make, complete or leave each page's run, and tell what is current."""
        experiments = list(self._experiments.values())
        end_abandoned(self._store, experiments)
        there = _by_key(self._store.runs(experiments))
        for page in self._pages:
            run = self._page(page, self._one(there.pop(page.key, [])))
            if is_workspace or labels.CURRENT not in run.data.tags:
                self._mark(run, "yes" if is_workspace else "no")
        for run in (run for runs in there.values() for run in runs if is_workspace):
            self._mark(run, "no")

    def _page(self, page: Page, run: Run | None) -> Run:
        parent = {labels.PARENT: self.places[page.parent].run} if page.parent else {}
        asked = {labels.SAID: page.digest()} | parent
        if run is None:
            self.made += 1
        elif asked.items() <= run.data.tags.items():
            self.places[page.key] = Place(run.info.experiment_id, run.info.run_id)
            return run
        else:
            self.completed += 1
            if contradicts(self._store, run, page):
                self._store.client.delete_run(run.info.run_id)
                run = None
        run = run or make(self._store, self._experiments[page.study], page, parent)
        seen_before = labels.SAID in run.data.tags
        complete(self._store, run, page, parent if seen_before else parent | self._facts(page))
        self.places[page.key] = Place(run.info.experiment_id, run.info.run_id)
        return run

    @cached_property
    def _here(self) -> dict[str, str]:
        """Asked only when a page needs it: git is slow to say what differs."""
        return provenance(self._root)

    def _facts(self, page: Page) -> dict[str, str]:
        """The commit and versions of a run of this machine; of a pulled one, those that show it."""
        if page.facts:
            return page.facts | {labels.COMPUTED: "here"}
        return self._here | {labels.COMPUTED: "elsewhere"}

    def _one(self, runs: list[Run]) -> Run | None:
        """The finished run of a key; the unfinished, and what two machines made twice, go."""
        finished = sorted(
            (run for run in runs if run.info.status == "FINISHED"),
            key=lambda run: (run.info.start_time, run.info.run_id),
        )
        for run in runs:
            if run not in finished[:1] and run.info.status != "RUNNING":
                self._store.client.delete_run(run.info.run_id)
        return finished[0] if finished else None

    def _mark(self, run: Run, current: str) -> None:
        if run.data.tags.get(labels.CURRENT) != current:
            self._store.client.set_tag(run.info.run_id, labels.CURRENT, current)


def _by_key(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Runs of ours by their key; a run that somebody logged by hand has none, and is left alone."""
    found: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if labels.KEY in run.data.tags:
            found[run.data.tags[labels.KEY]].append(run)
    return found
