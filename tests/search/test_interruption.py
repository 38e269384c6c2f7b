import os
import signal
import threading

import pytest

from oncotrail.search.interruption import uninterrupted


def test_a_ctrl_c_comes_when_the_work_is_done() -> None:
    done: list[str] = []

    def work() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_fault_is_told_as_it_is() -> None:
    def work() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        work()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_who_is_deaf_to_ctrl_c_stays_so() -> None:
    """As a job that a shell started in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_just_works() -> None:
    done = []

    def work() -> None:
        with uninterrupted():
            done.append("all of it")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["all of it"]
