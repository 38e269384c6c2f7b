"""How fast the statistics are, as ratios to peers in the same run, and how time and memory grow.

    .venv/bin/python bench/statistics.py [--only NAME ...] [--repeats 5]

ours      seconds, the median of the repeats
peer      seconds of the peer for the same work; "scaled" where it did a part of it, since all of
          it would take minutes
ratio     peer : ours; above 1 we are faster
growth    our time at 10 n over that at n: 10 is linear
memory    the peak of our own arrays at n and at 10 n (tracemalloc), and their ratio

Before anything is timed, both sides are asked for the same numbers. Everything runs on one core.
The work of both sides is in statistics_peers.py.
"""

from __future__ import annotations

import os
import sys

# Our folder, where this file would hide the standard library's `statistics`: last, not first.
sys.path.append(sys.path.pop(0))
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # read once, when numpy is imported

# ruff: noqa: E402
import argparse
import platform
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

import numpy as np
import statistics_peers as peers


@dataclass(frozen=True)
class Peer:
    """Somebody else's way: `seconds(n, repeats)` for all of the work, None where not installed.

    `least_ratio` is the limit that we set ourselves: how many times longer than we it must take.
    `install` is how to get it.
    """

    name: str
    seconds: Callable[[int, int], float | None]
    least_ratio: float | None = None
    install: str = ""


@dataclass(frozen=True)
class Benchmark:
    """One statistic: our work at n and 10 n, and what peers take for the same.

    `ours(n)` prepares the data and returns the work to be timed. `same(n)` returns our numbers and
    the peers', which must agree `within` (relative, and absolute below 1). `most_seconds` is the
    limit that we set ourselves at n.
    """

    title: str
    n: int
    ours: Callable[[int], peers.Work]
    peers: tuple[Peer, ...] = ()
    same: Callable[[int], peers.Numbers] | None = None
    within: float = 1e-9
    most_seconds: float | None = None


def main() -> None:
    """Run the named benchmarks, or all; fail where one misses its own limits."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    words.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    words.add_argument("--repeats", type=int, default=5)
    asked = words.parse_args()
    packages = ("numpy", "scipy", "scikit-learn", "lifelines")
    named = ", ".join(f"{name} {version(name)}" for name in packages)
    print(f"Python {platform.python_version()}, {named}; 1 thread; median of {asked.repeats}")
    missed = [name for name in asked.only if not measured(name, BENCHMARKS[name], asked.repeats)]
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)


def measured(name: str, benchmark: Benchmark, repeats: int) -> bool:
    """Print one benchmark's figures; True where it keeps its limits."""
    if benchmark.same:
        ours, theirs = benchmark.same(benchmark.n)
        np.testing.assert_allclose(ours, theirs, rtol=benchmark.within, atol=benchmark.within)
    print(f"\n{name}: {benchmark.title}")
    work = benchmark.ours(benchmark.n)
    taken = peers.seconds(work, repeats)
    limit = benchmark.most_seconds
    print(f"  ours    {taken:9.4f} s   n = {benchmark.n:,}{_limit(limit, 's', 'at most')}")
    kept = [limit is None or taken <= limit]
    kept += [beside(peer, taken, benchmark.n, repeats) for peer in benchmark.peers]
    grown(benchmark, work, taken, max(1, repeats // 2))
    return all(kept)


def beside(peer: Peer, ours: float, n: int, repeats: int) -> bool:
    """Print what a peer takes, and how many times as long as we; True where that is enough."""
    theirs = peer.seconds(n, repeats)
    if theirs is None:
        print(f"  peer       not installed   {peer.name}: {peer.install}")
        return True
    print(f"  peer    {theirs:9.4f} s   {peer.name}")
    print(f"  ratio   {theirs / ours:9.1f}{_limit(peer.least_ratio, 'times', 'at least')}")
    return peer.least_ratio is None or theirs / ours >= peer.least_ratio


def grown(benchmark: Benchmark, work: peers.Work, taken: float, repeats: int) -> None:
    """Print our time and memory at 10 n over those at n."""
    larger = benchmark.ours(10 * benchmark.n)
    longer = peers.seconds(larger, repeats)
    print(f"  growth  {longer / taken:9.1f}     {longer:.4f} s at 10 n")
    small, large = peak(work), peak(larger)
    both = f"{small / 2**20:.1f} MiB at n, {large / 2**20:.1f} at 10 n"
    print(f"  memory  {large / small:9.1f}     {both}")


def peak(work: peers.Work) -> int:
    """Bytes that the work held at most, beyond its data."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _limit(limit: float | None, unit: str, word: str) -> str:
    return "" if limit is None else f"   (asked: {word} {limit:g} {unit})"


PROC = Peer(
    "pROC in R, its two curves and its test",
    peers.proc_peer,
    install="apt-get install r-cran-proc",
)
BENCHMARKS = {
    "bootstrap": Benchmark(
        title="BCa intervals of eight figures, 2,000 resamples of patients with two images each",
        n=700,
        ours=peers.bootstrap_ours,
        peers=(
            Peer(
                "a loop over scikit-learn's metrics, percentiles only, scaled from 5 % of it",
                peers.sklearn_peer,
                least_ratio=30.0,
            ),
        ),
        same=peers.bootstrap_same,
        most_seconds=1.0,
    ),
    "bootstrap_percentile": Benchmark(
        title="the same with percentile intervals, which need no jackknife",
        n=700,
        ours=partial(peers.bootstrap_ours, method="percentile"),
        most_seconds=1.0,
    ),
    "delong": Benchmark(
        title="DeLong's test of two markers",
        n=2_000,
        ours=peers.delong_ours,
        peers=(
            Peer(
                "pairs counted one by one in Python, areas alone, scaled from 10 % of it",
                peers.pairs_one_by_one,
                least_ratio=50.0,
            ),
            Peer("a matrix of all pairs in numpy, the whole test", peers.pair_matrix),
            PROC,
        ),
        same=peers.delong_same,
    ),
    "delong_large": Benchmark(
        title="DeLong's test of two markers, many patients",
        n=100_000,
        ours=peers.delong_ours,
        peers=(PROC,),
        most_seconds=0.5,
    ),
    "concordance": Benchmark(
        title="Harrell's C with its standard error",
        n=50_000,
        ours=peers.concordance_ours,
        peers=(Peer("lifelines, C alone", peers.concordance_peer, least_ratio=1.0),),
        same=peers.concordance_same,
        most_seconds=1.0,
    ),
    "cox": Benchmark(
        title="a Cox model of 20 covariates, tied times",
        n=20_000,
        ours=peers.cox_ours,
        peers=(Peer("lifelines", peers.cox_peer, least_ratio=1.0),),
        same=peers.cox_same,
        within=1e-4,  # as far as lifelines iterates
    ),
}


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
