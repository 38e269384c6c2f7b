"""A whole cohort on disk, block of patients by block, so that any number fits in memory.

cohort/clinical.csv, cohort/images/<view>/<patient>.dcm   as a hospital would hand them over
cohort/invented.json     says that nobody here lived; written last, so half a cohort lacks it
truth.json               the planted model and the best attainable AUC; only tests read it
truth_scores.csv         per patient: the true areas and the Bayes score of each column set
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

from oncotrail.demo import attainable, dicom, draws, outcome, slices, table
from oncotrail.demo import people as who
from oncotrail.demo.blanks import Blanks, blanks
from oncotrail.demo.draws import Floats
from oncotrail.demo.identities import identity, patient_id
from oncotrail.demo.outcome import Effects, EffectsName, Outcomes
from oncotrail.demo.people import People
from oncotrail.demo.scanner import SCANNERS

BLOCK: Final = 64  # patients in memory at a time
POPULATION: Final = 100_000  # patients behind the attainable AUC


@dataclass(frozen=True)
class Block:
    """Some consecutive patients of a cohort, without their images."""

    places: range
    patients: list[str]
    people: People
    blanks: Blanks
    outcomes: Outcomes
    scores: dict[str, Floats]  # column set -> P(metastasis | what it shows)


def blocks(seed: int, patients: int, planted: Effects) -> Iterator[Block]:
    """The cohort, a block at a time; patient i depends on the seed and i alone."""
    for first in range(0, patients, BLOCK):
        places = range(first, min(first + BLOCK, patients))
        drawn = draws.of_cohort(seed, places)
        people = who.people(drawn)
        blank = blanks(drawn, people.body)
        yield Block(
            places=places,
            patients=[patient_id(i, h) for i, h in zip(places, people.body.hospital, strict=True)],
            people=people,
            blanks=blank,
            outcomes=outcome.outcomes(planted, people, drawn),
            scores=attainable.scores(planted, people, blank),
        )


def write(
    folder: Path,
    *,
    seed: int,
    patients: int,
    kind: str,
    effects: EffectsName,
    population: int = POPULATION,
) -> None:
    """Write the cohort and its truth below `folder`; the same arguments make the same bytes."""
    planted = outcome.EFFECTS[effects]
    raw = folder / "cohort"
    for view in slices.PAINTERS:
        (raw / "images" / view).mkdir(parents=True)
    with (
        (raw / "clinical.csv").open("w", encoding="utf-8", newline="") as clinical,
        (folder / "truth_scores.csv").open("w", encoding="utf-8", newline="") as truth,
    ):
        for block in blocks(seed, patients, planted):
            _append(clinical, _clinical(block))
            _append(truth, _truth(block))
            _write_images(raw / "images", seed, block)
    _write_json(folder / "truth.json", _truth_of_population(seed, effects, population))
    _write_json(raw / "invented.json", {"kind": kind, "seed": seed, "patients": patients})


def _clinical(block: Block) -> dict[str, list[str]]:
    return table.columns(block.patients, block.people, block.blanks, block.outcomes)


def _truth(block: Block) -> dict[str, list[str]]:
    body = block.people.body
    numbers = {
        "muscle_cm2": body.muscle,
        "visceral_cm2": body.visceral,
        **block.scores,
    }
    written = {name: [f"{value:.6f}" for value in values] for name, values in numbers.items()}
    return {"patient_id": block.patients, **written}


def _write_images(folder: Path, seed: int, block: Block) -> None:
    body = block.people.body
    for row, subject in enumerate(slices.subjects(body)):
        place, hospital = block.places[row], int(body.hospital[row])
        person = identity(seed, place, hospital, float(body.age[row]))
        scanner = SCANNERS[hospital]
        for view in slices.PAINTERS:
            pixels = slices.stored(seed, place, view, subject, scanner)
            path = folder / view / f"{person.patient}.dcm"
            dicom.write(path, pixels, person, scanner, view)


def _truth_of_population(seed: int, effects: EffectsName, patients: int) -> dict[str, Any]:
    """The planted coefficients, and what a perfect model would reach on patients like these."""
    planted = outcome.EFFECTS[effects]
    people = who.people(drawn := draws.of_population(seed, patients))
    scores = attainable.scores(planted, people, blanks(drawn, people.body))
    return {
        "effects": effects,
        "coefficients": asdict(planted),
        "prevalence": round(float(scores["clinical"].mean()), 4),
        "attainable_auc": {
            name: round(attainable.expected_auc(score), 4) for name, score in scores.items()
        },
        "population": patients,
    }


def _append(file: IO[str], columns: Mapping[str, list[str]]) -> None:
    """Append rows to a CSV file, which begins with the columns' names."""
    writer = csv.writer(file, lineterminator="\n")
    if file.tell() == 0:
        writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
