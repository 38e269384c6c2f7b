"""A network trained in parts, one after another: see `cohort.folds`.

What a part learns depends on the study and on the part alone: not on which others there are, nor on
what was trained before it in the same process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from oncotrail.backbones import learning, material, plan, results, weights
from oncotrail.backbones.finished import Finished, keep, kept, place_all
from oncotrail.backbones.part_run import PartRun, Shown, files_of, nested
from oncotrail.backbones.spread import spread
from oncotrail.cohort import tables
from oncotrail.cohort.folds import Part, of_fold
from oncotrail.errors import TableError
from oncotrail.record import Run, generator
from oncotrail.study.computing import Compute


@dataclass(frozen=True)
class Given:
    """What all parts of a network are trained from."""

    model: str  # <study>-<network>
    tuned: Path  # the tune stage's output
    pretrained: Path  # the pretrain stage's, if the network starts from one
    decoded: material.Decoded
    cohort: pd.DataFrame
    split: pd.DataFrame
    compute: Compute
    most_epochs: int | None
    seed: int  # the repository's
    out_of_fold: bool

    def start_of(self, part: Part) -> int:
        """The seed of a part: folds differ in their patients alone, and not in their start."""
        names = [f"seed{part.seed}"] if part.seed else []
        return int(generator(self.seed, "train", self.model, *names).integers(2**62))


def train_parts(given: Given, parts: Sequence[Part], run: Run) -> None:
    """Train all parts into the run's output, the main one first."""
    check_classes(given, parts)
    main = parts[0]
    if len(parts) == 1:
        shown = train_part(given, PartRun(run, main, is_main=True), run.out)
        run.metrics(shown.metrics)
        return
    done: dict[Part, Finished] = {}
    for number, part in enumerate(parts, 1):
        done[part] = finished(given, PartRun(run, part, part == main, f"{number}/{len(parts)}"))
        if part != main:
            run.nested(part.name, nested(part, done[part].shown, done[main].shown))
    place_all(done, main, run.out)
    for part in parts[1:]:
        placed = files_of(part, run.out)
        run.nested(part.name, nested(part, done[part].shown, done[main].shown, placed))
    run.metrics(done[main].shown.metrics)
    run.metrics(spread({part: of.shown.metrics for part, of in done.items()}, main))


def check_classes(given: Given, parts: Sequence[Part]) -> None:
    """Refuse parts that would learn from one class, or choose by one: now, and not after hours."""
    for part in parts:
        outcome = plan.read_settings(given.tuned, part.outer_fold).outcome
        fold = of_fold(given.split, part.outer_fold)
        labels = given.cohort[["patient", outcome]]
        known = tables.join(fold, labels, f"labels of {part.name}")
        uses = {"learns from": part.learns(known), "chooses by": known["role"] == "validation"}
        for use, rows in uses.items():
            found = known.loc[rows.astype(bool), outcome]
            if found.nunique() < 2:  # noqa: PLR2004  a class and another
                message = (
                    f"{given.model}: part {part.name} {use} {len(found)} patients, of whom "
                    f"{int(found.sum())} have {outcome} = 1; both classes are needed. In section "
                    f"split stratify by {outcome} or take other folds"
                )
                off = "" if part.inner_fold is None else ", or set the network's out_of_fold: false"
                raise TableError(f"{message}{off}.")


def finished(given: Given, run: PartRun) -> Finished:
    """A part as it was finished before a kill, or trained now."""
    checkpoints = run.run.checkpoints
    before = kept(checkpoints, run.part)
    if before is None:
        return keep(checkpoints, run.part, partial(train_part, given, run))
    run.tell_again(before.shown)
    return before


def train_part(given: Given, run: PartRun, folder: Path) -> Shown:
    """Train one part, and write into `folder` what it is and what it says of its patients."""
    part, seed = run.part, given.start_of(run.part)
    chosen = plan.read_settings(given.tuned, part.outer_fold)
    known = material.gather(given.decoded, given.cohort, given.split, chosen.outcome, part)
    images = learning.Images(known.learns(), known.chooses())
    recipe = plan.recipe(chosen, given.most_epochs, seed)
    machine = plan.machine(chosen, given.compute)
    begun = plan.begin(chosen, images.learns.inputs, seed, machine.precision, given.pretrained)
    network = begun.network
    run.params(plan.said(chosen, recipe, machine, len(images.learns.patients), begun.source))
    learnt = learning.learn(chosen, network, images, recipe, run, compute=given.compute)
    made, source = given.decoded.made, begun.source
    blueprint = plan.blueprint(chosen, given.model, made, network, source, part=part)
    weights.save_network(network, blueprint, folder, learnt.estimated, learnt.pooling)
    saved, store = weights.load_network(folder), run.work / learning.STORE
    shown, pixels = known.scored(out_of_fold=given.out_of_fold)
    scored = learning.scored_by(chosen, saved, pixels, machine, store)
    results.write_scored(folder, saved, shown, scored, given.seed + part.seed)
    fitted = results.fitted_objects(saved.blueprint, learnt.trained, images.learns, images.chooses)
    results.write_learned(folder, learnt.trained, fitted)
    return run.shown(results.summary(learnt.trained, network.parameter_count()))
