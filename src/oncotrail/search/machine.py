"""Who carries a search's trials out, as the environment says.

Not in params.yaml: what is there is part of what a stage depends on, and another machine's number
of workers must not make it search again.

    ONCOTRAIL_WORKERS=4                        trials at a time; unset: 1, which repeats to the bit
    ONCOTRAIL_CLUSTER=ray://10.0.0.5:10001     a Ray cluster's workers; unset: this machine's

A cluster's machines must see the repository under the same path. Whoever reaches a Ray cluster runs
code on it: let it listen on 127.0.0.1 or inside a network of your own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from oncotrail.errors import UserFault
from oncotrail.search.job import Objective
from oncotrail.search.workers import LocalWorkers, Workers

WORKERS, CLUSTER = "ONCOTRAIL_WORKERS", "ONCOTRAIL_CLUSTER"


@dataclass(frozen=True)
class Machine:
    """So many workers, here or on a cluster."""

    count: int = 1
    cluster: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Machine:
        """As the person who starts the search has set it."""
        count = environment.get(WORKERS, "").strip() or "1"
        if not count.isdecimal() or int(count) < 1:
            message = f"{WORKERS} is {count!r}; expected a number of workers, 1 or more."
            raise UserFault(message)
        return cls(int(count), environment.get(CLUSTER, "").strip())

    def threads_each(self, threads: int) -> int:
        """A worker's share of a machine's threads, at least one.

        >>> Machine(2).threads_each(2), Machine(12).threads_each(2), Machine(1).threads_each(2)
        (1, 1, 2)
        """
        return max(1, threads // self.count)

    def workers(self, objective: Objective, threads: int) -> Workers:
        """The workers themselves, each with so many threads."""
        if self.cluster:
            from oncotrail.search.cluster import RayWorkers

            return RayWorkers(objective, self.count, threads, self.cluster)
        return LocalWorkers(objective, self.count, threads)
