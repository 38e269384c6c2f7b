"""Pixels to an embedding and a score: the network, its training loop, its weights on disk.

`loop.py` and what it imports need torch, timm and numpy alone; tables come in through `material.py`
and go out through `results.py`.
"""
