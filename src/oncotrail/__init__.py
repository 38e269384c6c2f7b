"""Oncotrail: oncology-imaging studies as tracked pipelines that prove their numbers."""

__version__ = "0.1.0"
