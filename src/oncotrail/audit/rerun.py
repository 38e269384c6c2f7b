"""What images and networks say when they are asked again: file -> pixels -> embedding -> score.

A file gives a picture, or several where the view asks for slices of a volume. The features table
holds the mean of an image's pictures, and a patient's score is made from what the network says of
each of them. So of a view with slices the score cannot be made from the table: it is made from the
pixels, of as many patients as are drawn. Of a view without, it is made from the table, of all.

What is drawn bounds the cost: `MOST_PICTURES` of each view are decoded again, and as many are seen
again of each network. The parts of its training share these: of thirty parts each sees a thirtieth,
but the patients of one at the least. Those whom a part was made to judge, the test patients of its
outer fold, come first, so that of ten folds all test patients are seen again while they are no more
than `MOST_PICTURES`; the others come in an order that differs from part to part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from oncotrail.audit.evidence import Evidence
from oncotrail.audit.finding import Violation, violation
from oncotrail.audit.models import NetworkEvidence, Numbers, PartEvidence, Pixels, Rerun
from oncotrail.imaging import listing
from oncotrail.imaging.decode import pictures_of
from oncotrail.imaging.scan import digest
from oncotrail.study.pixels import ViewPixels

MOST_PICTURES = 1000
AT_ONCE = 64  # pictures in memory
RESCORED = 1e-4  # relative: another batch or thread count changes the last digits of float32
RECOMPUTED = 1e-5  # a head on numbers that were rounded to be stored
MEND = "Join by patient id, never by position, and run the stage that wrote this again."

Link = tuple[str, int, list[Violation]]  # what was compared, how many, what is wrong


def drawn(
    pictures: pd.DataFrame, most: int, salt: str = "", first: Collection[str] = ()
) -> pd.DataFrame:
    """All of them, or those of as many patients as may be looked at, `first` before the others.

    The same ones on every machine.
    """
    held = pictures.groupby(pictures["patient"].astype(str)).size()
    first = set(first)
    lot = sorted(held.index, key=lambda name: (name not in first, _digest(f"{salt}{name}")))
    within = lot[: max(1, int((held[lot].cumsum() <= most).sum()))]
    return pictures[pictures["patient"].isin(within)].sort_values(["image", "slice"])


def decoded_again(evidence: Evidence, view: str) -> Link:
    """The pictures of an image that stand in the store are those that its file gives."""
    here = evidence.pixels[evidence.pixels["view"] == view]
    files = evidence.images[["image", "patient", "path", "box", "mask"]]
    known = drawn(here, MOST_PICTURES).merge(
        files, on="image", how="left", suffixes=("", "_of_image")
    )
    own = (known["patient"] == known["patient_of_image"]).fillna(value=False).astype(bool)
    store, made = evidence.views[view].store, evidence.views[view].made
    alike = [
        number
        for _, rows in known[own].groupby("image")
        for number in _as_decoded(rows, evidence, store, made)
    ]
    wrong = known.loc[~known.index.isin(alike), "patient"]
    says = f"{len(wrong)} rows do not hold their patient's image"
    return f"images of {view}", len(known), violation(f"{view}.npy", wrong, says, MEND)


def _as_decoded(
    rows: pd.DataFrame, evidence: Evidence, store: Pixels, made: ViewPixels
) -> Iterator[int]:
    """Those of one image's rows that hold the slice that they name; none, where one is missing."""
    found = pictures_of(listing.source(rows.iloc[0].to_dict(), evidence.pictures), made)
    decoded = dict(zip(found.slices, map(digest, found.pixels), strict=True))
    if set(rows["slice"]) != set(decoded):
        return
    for number, slice_, row in zip(rows.index, rows["slice"], rows["row"], strict=True):
        if digest(store[row]) == decoded[slice_]:
            yield number


def seen_again(evidence: Evidence, network: NetworkEvidence) -> Iterator[Link]:
    """Every part of a network's training is shown its patients' pixels again."""
    here, view = evidence.pixels, evidence.views[network.view]
    here = here[here["view"] == network.view]
    for part in network.parts:
        loaded, pictures = evidence.again(part.folder), _drawn_for(network, part, here)
        features, predictions = (part.rows(of) for of in (network.features, network.predictions))
        embeddings = _embeddings(loaded, view.store, pictures["row"])
        called = network.called(part.part)
        yield _compared_embeddings(called, pictures, embeddings, features)
        if view.made.count == 1:
            kept = features[_numbers(features)].to_numpy(dtype=np.float64)
            again = _scores(loaded, kept, features["patient"])
            yield _compared_scores(called, again, predictions, RECOMPUTED)
        else:
            again = _scores(loaded, embeddings, pictures["patient"])
            seen = predictions[predictions["patient"].isin(again.index)]
            yield _compared_scores(called, again, seen, RESCORED)


def of_no_part(network: NetworkEvidence) -> list[Violation]:
    """Rows that no part of the training can have made: of another seed, fold or patient."""
    wrong = []
    for what, table in (("features", network.features), ("predictions", network.predictions)):
        made = {number for part in network.parts for number in part.rows(table).index}
        others = table.loc[~table.index.isin(made), "patient"]
        says = f"{others.nunique()} patients have rows that no part of its training makes"
        mend = "They are of another split, seed or setting: run the train stage again."
        wrong += violation(f"{what} of {network.name}", others, says, mend)
    return wrong


def _drawn_for(network: NetworkEvidence, part: PartEvidence, here: pd.DataFrame) -> pd.DataFrame:
    """The part's share of the pictures that may be looked at."""
    own = here[here["patient"].isin(part.patients)]
    judged = part.fold.loc[part.fold["role"] == "test", "patient"].astype(str)
    return drawn(own, MOST_PICTURES // len(network.parts), part.part.name, judged)


def _embeddings(loaded: Rerun, store: Pixels, rows: pd.Series) -> Numbers:
    numbers = rows.to_numpy(dtype=np.int64)
    some = (numbers[first : first + AT_ONCE] for first in range(0, len(numbers), AT_ONCE))
    said = [loaded.embeddings(store[at_once]) for at_once in some]
    return np.concatenate(said) if said else np.empty((0, 0))


def _scores(loaded: Rerun, embeddings: Numbers, patients: pd.Series) -> pd.Series:
    names = patients.astype(str).tolist()
    return pd.Series(loaded.patients(embeddings, names) if names else {}, dtype=np.float64)


def _compared_embeddings(
    called: str, pictures: pd.DataFrame, embeddings: Numbers, said: pd.DataFrame
) -> Link:
    """The mean embedding of an image's pictures is the one beside its name, and its patient's."""
    again = pd.DataFrame(embeddings).groupby(pictures["image"].to_numpy()).mean()
    own = pictures.drop_duplicates("image")[["image", "patient"]]
    known = own.merge(said, on="image", how="left", suffixes=("", "_said"))
    of_images = again.loc[known["image"]].to_numpy()
    apart = differ(of_images, known[_numbers(said)].to_numpy(), RESCORED)
    another = (known["patient"] != known["patient_said"]).fillna(value=True).to_numpy(dtype=bool)
    wrong = known.loc[apart | another, "patient"]
    says = f"{wrong.nunique()} patients have an embedding that is not of their pixels"
    found = violation(f"features of {called}", wrong, says, MEND)
    return f"embeddings of {called}", len(known), found


def _compared_scores(called: str, again: pd.Series, said: pd.DataFrame, tolerance: float) -> Link:
    """What a network makes of all the pictures of a patient stands beside the patient."""
    made = again.rename_axis("patient").rename("again").reset_index()
    known = said[["patient", "score"]].merge(made, on="patient", how="outer")
    apart = differ(known[["again"]].to_numpy(), known[["score"]].to_numpy(), tolerance)
    wrong = known.loc[apart, "patient"]
    says = f"{wrong.nunique()} patients have a score that is not of their embedding"
    found = violation(f"predictions of {called}", wrong, says, MEND)
    return f"scores of {called}", len(known), found


def differ(again: np.ndarray, said: np.ndarray, tolerance: float) -> np.ndarray:
    """Which rows differ by more than the tolerance, relative to the largest value; NaN differs."""
    again, said = (np.asarray(values, dtype=np.float64) for values in (again, said))
    largest = np.abs(again).max(axis=0, initial=0.0)
    return np.asarray(~(np.abs(again - said) <= tolerance * largest).all(axis=1))


def _numbers(features: pd.DataFrame) -> list[str]:
    return sorted(str(name) for name in features if str(name).startswith("embedding_"))


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
