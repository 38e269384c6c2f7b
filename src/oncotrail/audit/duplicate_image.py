"""duplicate_image: no picture belongs to two patients, and so to two roles or two labels."""

from __future__ import annotations

import pandas as pd

from oncotrail.audit.evidence import Evidence
from oncotrail.audit.finding import Finding, Violation, found
from oncotrail.imaging.scan import digest

CHECK = "duplicate_image"
MEND = (
    "Find out whose image it is, mend the raw cohort, and run make repro: the network has "
    "learned one of these patients' answers from another."
)


def duplicate_image(evidence: Evidence) -> Finding:
    """Compare digests of images as acquired, and of pixels as the networks see them.

    The second are computed here, from the store: they find the same picture in two files that
    differ in what is cropped or windowed away. A slice that is one grey throughout, as at the end
    of a volume, is like any other such slice; it counts only where its image shows nothing else.
    """
    acquired = evidence.images[["image", "patient", "sha256"]].assign(where="image")
    decoded = _telling(evidence)
    looked = {"images": len(acquired), "rows of pixels": len(decoded)}
    wrong = [*_shared(acquired, evidence), *_shared(decoded, evidence)]
    once = {violation.object: violation for violation in reversed(wrong)}
    return found(CHECK, looked, [once[name] for name in sorted(once)])


def _telling(evidence: Evidence) -> pd.DataFrame:
    """Each decoded picture's digest, but for the empty slices of an image that shows more."""
    here = evidence.pixels[["image", "patient"]].assign(where="pixels")
    rows = zip(evidence.pixels["view"], evidence.pixels["row"], strict=True)
    seen = [evidence.views[view].store[row] for view, row in rows]
    here["sha256"] = [digest(picture) for picture in seen]
    empty = pd.Series([bool((picture == picture.flat[0]).all()) for picture in seen], here.index)
    return here[~empty | empty.groupby(here["image"]).transform("all")]


def _shared(images: pd.DataFrame, evidence: Evidence) -> list[Violation]:
    owners = images.groupby("sha256")["patient"].nunique()
    shared = images[images["sha256"].isin(owners.index[owners > 1])]
    return [_violation(same, evidence) for _, same in shared.groupby("sha256")]


def _violation(same: pd.DataFrame, evidence: Evidence) -> Violation:
    patients = tuple(sorted(set(same["patient"].astype(str))))
    split = evidence.split[evidence.split["patient"].isin(patients)]
    roles = " and ".join(sorted(set(split["role"])))
    own = evidence.cohort[evidence.cohort["patient"].isin(patients)]
    labels = own.select_dtypes("integer").drop(columns="patient", errors="ignore")
    apart = [str(name) for name in labels if len(set(labels[name])) > 1]
    differing = f", with different {', '.join(apart)}" if apart else ""
    files = ", ".join(sorted(same["image"].astype(str)))
    says = f"the same picture under {len(patients)} patients in {roles}{differing}"
    return Violation(f"images {files}", patients, says, MEND)
