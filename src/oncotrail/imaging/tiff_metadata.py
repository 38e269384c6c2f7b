"""TIFF bytes without what they say beside the picture.

A TIFF is a chain of pages, each a list of tags; the picture lies in strips or tiles that two of the
tags point to. The file is written anew with the tags of an allow-list and the strips byte for byte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from oncotrail.errors import ImageFault

ORDER: Mapping[bytes, str] = {b"II": "<", b"MM": ">"}
HEADER = 8
ENTRY, POINTER = 12, 4
SIZES: Mapping[int, int] = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8), start=1))
SHORT, LONG = 3, 4
NEW_SUBFILE, COMPRESSION, STRIPS, STRIP_BYTES, TILES, TILE_BYTES = 254, 259, 273, 279, 324, 325
HOLDS_JPEG = (6, 7)
MOST_PAGES = 4096
KEPT = {
    NEW_SUBFILE,  # with a value that says nothing of who it is: page, thumbnail or mask
    256,  # width
    257,  # length
    258,  # bits per sample
    COMPRESSION,
    262,  # what black and white are, or which colours
    266,  # order of bits
    STRIPS,
    274,  # orientation
    277,  # samples per pixel
    278,  # rows per strip
    STRIP_BYTES,
    282,  # resolution
    283,
    284,  # planes or pixels
    296,  # unit of resolution
    317,  # predictor
    320,  # palette
    322,  # tile width
    323,  # tile length
    TILES,
    TILE_BYTES,
    338,  # what further samples mean
    339,  # whole numbers or floats
    530,  # chroma subsampling
    531,
    532,
}


@dataclass(frozen=True)
class Tag:
    """One entry of a page: its number, its type, how many values, and their bytes."""

    number: int
    kind: int
    count: int
    value: bytes


def strip(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The file written anew, and which tags were left out."""
    order = ORDER[data[:2]]
    out = bytearray(data[:4] + bytes(POINTER))
    link = 4  # where the place of the next page is to be written
    removed: dict[str, None] = {}
    for page in _pages(data, order):
        removed |= dict.fromkeys(f"tag {tag.number}" for tag in page if tag.number not in KEPT)
        kept = {tag.number: tag for tag in page if tag.number in KEPT}
        _refuse_jpeg(kept, order)
        link = _written(out, link, _moved(out, data, kept, order), order)
    return bytes(out), tuple(removed)


def _pages(data: bytes, order: str) -> Iterator[list[Tag]]:
    seen: set[int] = set()
    (at,) = struct.unpack_from(order + "I", data, 4)
    while at:
        if at in seen or len(seen) >= MOST_PAGES:
            raise ImageFault("is damaged: its pages follow each other in a ring", "export it again")
        seen.add(at)
        (count,) = struct.unpack_from(order + "H", data, at)
        yield [_tag(data, at + 2 + ENTRY * number, order) for number in range(count)]
        (at,) = struct.unpack_from(order + "I", data, at + 2 + ENTRY * count)


def _tag(data: bytes, at: int, order: str) -> Tag:
    number, kind, count = struct.unpack_from(order + "HHI", data, at)
    size = SIZES.get(kind, 1) * count
    begin = at + 8
    if size > POINTER:
        (begin,) = struct.unpack_from(order + "I", data, begin)
    value = data[begin : begin + size]
    if len(value) < size:
        raise ImageFault("is cut short in the middle of a TIFF tag", "copy it again")
    return Tag(number, kind, count, value)


def _refuse_jpeg(tags: Mapping[int, Tag], order: str) -> None:
    """JPEG inside a TIFF has segments of its own, in which anything may stand."""
    how = _numbers(tags[COMPRESSION], order) if COMPRESSION in tags else [1]
    if how[0] in HOLDS_JPEG:
        raise ImageFault("is a TIFF that holds JPEG", "save it as JPEG, or as TIFF with LZW")


def _moved(out: bytearray, data: bytes, tags: dict[int, Tag], order: str) -> list[Tag]:
    """Copy strips or tiles to the end of `out`; the tags, pointing there."""
    for places, sizes in ((STRIPS, STRIP_BYTES), (TILES, TILE_BYTES)):
        if places not in tags or sizes not in tags:
            continue
        moved = []
        for begin, size in zip(
            _numbers(tags[places], order), _numbers(tags[sizes], order), strict=True
        ):
            if begin + size > len(data):
                raise ImageFault("is cut short in the middle of a TIFF strip", "copy it again")
            moved.append(_append(out, data[begin : begin + size]))
        value = struct.pack(f"{order}{len(moved)}I", *moved)
        tags[places] = Tag(places, LONG, len(moved), value)
    return [tags[number] for number in sorted(tags)]


def _written(out: bytearray, link: int, tags: list[Tag], order: str) -> int:
    """Append a page and point the one before to it; where it has its own pointer."""
    entries = bytearray()
    for tag in tags:
        value = tag.value.ljust(POINTER, b"\0")
        if len(tag.value) > POINTER:
            value = struct.pack(order + "I", _append(out, tag.value))
        entries += struct.pack(order + "HHI", tag.number, tag.kind, tag.count) + value
    head = struct.pack(order + "H", len(tags))
    place = _append(out, head + bytes(entries) + bytes(POINTER))
    struct.pack_into(order + "I", out, link, place)
    return len(out) - POINTER


def _append(out: bytearray, block: bytes) -> int:
    """Append at an even place, as TIFF wants it."""
    if len(out) % 2:
        out += b"\0"
    place = len(out)
    out += block
    return place


def _numbers(tag: Tag, order: str) -> list[int]:
    if tag.kind not in (SHORT, LONG):
        raise ImageFault("is damaged: a TIFF tag is of the wrong type", "export it again")
    letter = "H" if tag.kind == SHORT else "I"
    return list(struct.unpack(f"{order}{tag.count}{letter}", tag.value))
