from __future__ import annotations

from oncotrail.tracking.sync import sync
from tests.tracking.repository import Repository


def test_a_whole_study(repository: Repository) -> None:
    repository.whole_study()
    import time
    t=time.time()
    print(sync(repository.root), time.time()-t)
    t=time.time()
    print(sync(repository.root), time.time()-t)
    (repository.root/".oncotrail/synced.json").unlink()
    t=time.time()
    print(sync(repository.root), time.time()-t)
    assert 0
