"""The scripts beside this file run R's or Python's peers, which the tests do not need."""

collect_ignore_glob = ["*_python.py"]
