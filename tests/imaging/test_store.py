"""Decoded once: resumed after a kill, taken again where nothing changed, refused on a full disk."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oncotrail.errors import DiskFull, ImageFault, StageBusy, TableError, UserFault
from oncotrail.imaging import content, workers
from oncotrail.imaging.decode import ImageSource, Pictures, pictures_of
from oncotrail.imaging.pack import Layout, Pack
from oncotrail.imaging.scan import digest
from oncotrail.imaging.store import Filled, fill, open_pixels, prune
from oncotrail.study.pixels import Slices, ViewPixels
from tests.imaging.dicom_files import write_series
from tests.imaging.fill_store import VIEW
from tests.only_picture import only_picture

COUNT = 30
ROOT = Path(__file__).resolve().parents[2]


def write_images(folder: Path, count: int = COUNT) -> list[ImageSource]:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(4)
    for number in range(count):
        picture = random.integers(0, 256, (20, 30), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{number:05}.png", compress_level=1)
    return [ImageSource(path) for path in sorted(folder.iterdir())]


@pytest.fixture
def sources(tmp_path: Path) -> list[ImageSource]:
    return write_images(tmp_path / "images")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The images that were decoded, in this process."""
    seen: list[Path] = []

    def counted(source: ImageSource, view: ViewPixels) -> Pictures:
        seen.append(source.path)
        return pictures_of(source, view)

    monkeypatch.setattr(workers, "pictures_of", counted)
    return seen


def filled(tmp_path: Path, sources: list[ImageSource], **more: object) -> Filled:
    options = {"label": "small/front", **more}
    view = options.pop("view", VIEW)
    return fill(tmp_path / "store", tmp_path / "out.npy", sources, view, **options)


def undisturbed(tmp_path: Path, sources: list[ImageSource]) -> bytes:
    """What a store that was never used before makes of these images."""
    place = tmp_path / "undisturbed"
    fill(place, place / "out.npy", sources, VIEW, label="x")
    return (place / "out.npy").read_bytes()


def test_row_i_is_image_i(tmp_path: Path, sources: list[ImageSource]) -> None:
    found = filled(tmp_path, sources)
    pixels = open_pixels(tmp_path / "out.npy")
    assert pixels.shape == (COUNT, 16, 24)
    assert not pixels.flags.writeable
    for row, source in enumerate(sources):
        assert np.array_equal(pixels[row], only_picture(source.path, VIEW))
        assert found.images[row].digests == (digest(pixels[row]),)
        assert found.images[row].slices == (0,)


def test_the_output_is_a_link_and_survives_the_output(
    tmp_path: Path, sources: list[ImageSource], calls: list[Path]
) -> None:
    filled(tmp_path, sources)
    before = (tmp_path / "out.npy").read_bytes()
    assert (tmp_path / "out.npy").stat().st_nlink == 2
    (tmp_path / "out.npy").unlink()  # as DVC does before a stage runs
    assert str(filled(tmp_path, sources)) == f"0 decoded, {COUNT} taken from the store"
    assert (tmp_path / "out.npy").read_bytes() == before
    assert len(calls) == COUNT


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP])
def test_where_no_link_can_be_made_it_is_a_copy(
    tmp_path: Path, sources: list[ImageSource], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(_: Path, __: Path) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    filled(tmp_path, sources)
    assert (tmp_path / "out.npy").stat().st_nlink == 1
    assert (tmp_path / "out.npy").read_bytes() == undisturbed(tmp_path / "u", sources)


def test_one_changed_image_decodes_one_image(
    tmp_path: Path, sources: list[ImageSource], calls: list[Path]
) -> None:
    filled(tmp_path, sources)
    calls.clear()
    Image.fromarray(np.full((20, 30), 9, np.uint8)).save(sources[7].path)
    assert (filled(tmp_path, sources).decoded, calls) == (1, [sources[7].path])
    assert (open_pixels(tmp_path / "out.npy")[7] == 9).all()
    assert (tmp_path / "out.npy").read_bytes() == undisturbed(tmp_path, sources)


def test_an_added_image_decodes_one_image_wherever_it_stands(
    tmp_path: Path, sources: list[ImageSource], calls: list[Path]
) -> None:
    filled(tmp_path, sources[1:])
    calls.clear()
    assert filled(tmp_path, sources).decoded == 1
    assert calls == [sources[0].path]
    assert (tmp_path / "out.npy").read_bytes() == undisturbed(tmp_path, sources)


def test_a_renamed_image_decodes_none(
    tmp_path: Path, sources: list[ImageSource], calls: list[Path]
) -> None:
    filled(tmp_path, sources)
    calls.clear()
    moved = [ImageSource(s.path.rename(s.path.with_name(f"x{s.path.name}"))) for s in sources]
    assert filled(tmp_path, moved).decoded == 0
    assert calls == []


@pytest.mark.parametrize(
    "change",
    [
        lambda sources, view: (sources, view.model_copy(update={"window": "voi"})),
        lambda sources, view: ([ImageSource(s.path, box="0 0 9 9") for s in sources], view),
    ],
    ids=["window", "box"],
)
def test_other_settings_take_nothing(sources: list[ImageSource], change: Callable) -> None:
    changed, view = change(sources, VIEW)
    assert not {content.key_of(s, VIEW) for s in sources} & {
        content.key_of(s, view) for s in changed
    }


def test_a_changed_mask_is_another_key(tmp_path: Path, sources: list[ImageSource]) -> None:
    mask = tmp_path / "m.png"
    Image.new("L", (30, 20), 1).save(mask)
    marked = ImageSource(sources[0].path, mask=mask)
    before = content.key_of(marked, VIEW)
    Image.new("L", (30, 20), 2).save(mask)
    assert content.key_of(marked, VIEW) != before


def test_other_code_takes_nothing(
    tmp_path: Path, sources: list[ImageSource], monkeypatch: pytest.MonkeyPatch, calls: list[Path]
) -> None:
    filled(tmp_path, sources)
    calls.clear()
    monkeypatch.setattr(content, "code", lambda: "another")
    assert filled(tmp_path, sources).decoded == COUNT
    assert len(calls) == COUNT


@pytest.mark.parametrize("cut", [0, 40])
def test_what_was_written_over_is_decoded_again(
    tmp_path: Path, sources: list[ImageSource], calls: list[Path], cut: int
) -> None:
    """An output is a link: whoever writes to it writes to the store."""
    filled(tmp_path, sources)
    right = (tmp_path / "out.npy").read_bytes()
    calls.clear()
    with (tmp_path / "out.npy").open("r+b") as file:
        file.seek(-500, os.SEEK_END)
        file.write(b"\7" * 10)
        file.truncate(len(right) - cut)
    filled(tmp_path, sources)
    assert (tmp_path / "out.npy").read_bytes() == right
    assert len(calls) == COUNT


@pytest.mark.parametrize("after", [1, 3, 9, 17])
def test_a_killed_fill_goes_on_and_ends_as_an_undisturbed_one(
    tmp_path: Path, sources: list[ImageSource], calls: list[Path], after: int
) -> None:
    """A real `kill -9` of another process, when this many images are in its journal."""
    command = [sys.executable, "-m", "tests.imaging.fill_store", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        while _journal_lines(tmp_path / "store") < after:
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "out.npy").exists()
    found = filled(tmp_path, sources)
    assert after <= found.taken < COUNT
    assert len(calls) == found.decoded == COUNT - found.taken
    assert (tmp_path / "out.npy").read_bytes() == undisturbed(tmp_path, sources)
    assert not list((tmp_path / "store").glob("*.partial"))
    assert not list((tmp_path / "store").glob("*.journal"))


def _journal_lines(folder: Path) -> int:
    """How many images are noted, after the line that begins a journal."""
    return sum(path.read_bytes().count(b"\n") - 1 for path in folder.glob("*.journal"))


def half_filled(
    tmp_path: Path, sources: list[ImageSource], monkeypatch: pytest.MonkeyPatch
) -> Pack:
    """A fill that stopped after ten images."""

    def stops(source: ImageSource, view: ViewPixels) -> Pictures:
        if source == sources[10]:
            raise KeyboardInterrupt
        return pictures_of(source, view)

    with monkeypatch.context() as patch:
        patch.setattr(workers, "pictures_of", stops)
        with pytest.raises(KeyboardInterrupt):
            filled(tmp_path, sources)
    keys = tuple(content.key_of(source, VIEW) for source in sources)
    pack = Pack(tmp_path / "store", Layout(keys, 1, (16, 24)))
    assert pack.journal.read_bytes().count(b"\n") == 1 + 10
    return pack


@pytest.mark.parametrize(
    ("damage", "kept"),
    [
        (lambda _: None, 10),
        (lambda pack: _append(pack.journal, b'0123 [11, ["ab'), 10),  # torn by the kill
        (lambda pack: _change(pack.journal, 3), 0),
        (lambda pack: _change(pack.journal, pack.journal.stat().st_size - 9), 9),
        (lambda pack: _zero(pack, 4), 9),  # noted, and lost by a power cut
        (lambda pack: pack.journal.unlink(), 0),
        (lambda pack: os.truncate(pack.partial, 500), 0),
        (lambda pack: _change(pack.partial, 20), 0),
        (lambda pack: pack.partial.unlink(), 0),
    ],
    ids=[
        "none",
        "torn",
        "first line",
        "last line",
        "pixels",
        "no journal",
        "short",
        "header",
        "no file",
    ],
)
def test_of_half_a_fill_only_what_is_really_there_is_believed(
    tmp_path: Path,
    sources: list[ImageSource],
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[Pack], object],
    kept: int,
) -> None:
    damage(half_filled(tmp_path, sources, monkeypatch))
    assert filled(tmp_path, sources).taken == kept
    assert (tmp_path / "out.npy").read_bytes() == undisturbed(tmp_path, sources)


def test_a_fill_killed_between_its_last_steps(tmp_path: Path, sources: list[ImageSource]) -> None:
    """The index is there, the file has not its name yet."""
    filled(tmp_path, sources)
    (finished,) = (tmp_path / "store").glob("*.npy")
    finished.rename(finished.with_suffix(".partial"))
    (tmp_path / "out.npy").unlink()
    filled(tmp_path, sources)
    assert (tmp_path / "out.npy").read_bytes() == undisturbed(tmp_path, sources)


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _change(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def _zero(pack: Pack, image: int) -> None:
    with pack.partial.open("r+b") as file:
        file.seek(pack.layout.places.offset(image))
        file.write(bytes(pack.layout.places.image_bytes))


@pytest.fixture
def file_size_limit() -> Iterator[Callable[[int], None]]:
    """A disk that is full, as the kernel says it: no file may grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, heard)


def test_a_full_disk_is_one_sentence_before_anything_is_decoded(
    tmp_path: Path,
    sources: list[ImageSource],
    calls: list[Path],
    file_size_limit: Callable[[int], None],
) -> None:
    file_size_limit(5000)
    with pytest.raises(DiskFull, match=r"small/front need 11,648 bytes in .*oncotrail prune"):
        filled(tmp_path, sources)
    assert calls == []
    assert not list((tmp_path / "store").glob("*.partial"))
    file_size_limit(resource.RLIM_INFINITY)
    assert filled(tmp_path, sources).decoded == COUNT


@pytest.mark.parametrize("free", [0, 10**12])
def test_where_space_cannot_be_reserved_it_is_asked_for(
    tmp_path: Path, sources: list[ImageSource], monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    def cannot(*_: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", cannot, raising=False)
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    if free:
        filled(tmp_path, sources)
        assert (tmp_path / "out.npy").read_bytes() == undisturbed(tmp_path, sources)
    else:
        with pytest.raises(DiskFull, match="no space left for them"):
            filled(tmp_path, sources)


def test_a_damaged_image_stops_and_what_was_decoded_is_kept(
    tmp_path: Path, sources: list[ImageSource], calls: list[Path]
) -> None:
    good = sources[20].path.read_bytes()
    sources[20].path.write_bytes(good[:100])
    with pytest.raises(ImageFault, match=r"00020\.png is damaged"):
        filled(tmp_path, sources)
    assert len(calls) == 21
    calls.clear()
    sources[20].path.write_bytes(good)
    assert filled(tmp_path, sources).taken == 20
    assert calls == [source.path for source in sources[20:]]
    assert (tmp_path / "out.npy").read_bytes() == undisturbed(tmp_path, sources)
    assert not list((tmp_path / "store").glob("*.partial"))  # neither half is left


def test_a_missing_image_is_named(tmp_path: Path, sources: list[ImageSource]) -> None:
    sources[3].path.unlink()
    with pytest.raises(ImageFault, match=r"00003\.png cannot be read \(No such file"):
        filled(tmp_path, sources)


@pytest.mark.parametrize("processes", [2, 3])
def test_the_bytes_do_not_depend_on_the_number_of_processes(
    tmp_path: Path,
    sources: list[ImageSource],
    monkeypatch: pytest.MonkeyPatch,
    calls: list[Path],
    processes: int,
) -> None:
    monkeypatch.setattr(workers, "WORTH_A_PROCESS", 1)
    assert filled(tmp_path, sources, processes=processes).decoded == COUNT
    assert calls == []  # not here
    assert (tmp_path / "out.npy").read_bytes() == undisturbed(tmp_path, sources)


def test_a_fault_in_a_process_is_the_same_sentence(
    tmp_path: Path, sources: list[ImageSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "WORTH_A_PROCESS", 1)
    sources[5].path.write_bytes(sources[5].path.read_bytes()[:90])
    with pytest.raises(ImageFault, match=r"00005\.png is damaged .*; copy or expo.*\.$") as caught:
        filled(tmp_path, sources, processes=2)
    assert caught.value.mend == "copy or export it again"


def test_a_process_that_dies_is_a_sentence(
    tmp_path: Path, sources: list[ImageSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr(workers, "_Work", _Dies)
    with pytest.raises(UserFault, match="a process that decoded images was killed"):
        filled(tmp_path, sources, processes=2)


class _Dies:
    """Work that ends its process, as a lack of memory does."""

    def __init__(self, *_: object) -> None:
        pass

    def __call__(self, _: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def test_two_fills_at_once_make_one_pack(tmp_path: Path, sources: list[ImageSource]) -> None:
    command = [sys.executable, "-m", "tests.imaging.fill_store", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        while _journal_lines(tmp_path / "store") < 3:
            assert process.poll() is None
            time.sleep(0.002)
        found = fill(tmp_path / "store", tmp_path / "mine.npy", sources, VIEW, label="small/front")
        assert process.wait() == 0
    assert found.decoded == 0
    assert (tmp_path / "mine.npy").samefile(tmp_path / "out.npy")


def test_of_one_view_the_last_two_packs_are_kept(
    tmp_path: Path, sources: list[ImageSource]
) -> None:
    other = tmp_path / "other.npy"
    fill(tmp_path / "store", other, sources[:2], VIEW, label="small/side")
    for count in (10, 11, 12, 13):
        filled(tmp_path, sources[:count])
    packs = {path.stat().st_size for path in (tmp_path / "store").glob("*.npy")}
    assert packs == {128 + count * 16 * 24 for count in (2, 12, 13)}
    assert len(list((tmp_path / "store").glob("*.index"))) == 3


def test_prune_removes_what_no_output_needs(
    tmp_path: Path, sources: list[ImageSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, sources[:12])
    filled(tmp_path, sources[:13])
    half_filled(tmp_path / "half", sources, monkeypatch)
    assert prune(tmp_path / "store").packs == 1
    assert [path.stat().st_nlink for path in (tmp_path / "store").glob("*.npy")] == [2]
    assert filled(tmp_path, sources[:13]).decoded == 0
    pruned = prune(tmp_path / "half" / "store")
    assert (pruned.packs, pruned.bytes > 10_000) == (0, True)
    left = {path.name for path in (tmp_path / "half" / "store").iterdir()}
    assert left == {"store.lock"}


def test_prune_of_nothing(tmp_path: Path) -> None:
    assert prune(tmp_path / "store").packs == 0


def test_prune_leaves_a_store_that_is_being_filled(
    tmp_path: Path, sources: list[ImageSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = []

    def meanwhile(source: ImageSource, view: ViewPixels) -> Pictures:
        with pytest.raises(StageBusy, match="is being filled by another process"):
            prune(tmp_path / "store")
        refused.append(source)
        return pictures_of(source, view)

    monkeypatch.setattr(workers, "pictures_of", meanwhile)
    filled(tmp_path, sources[:2])
    assert len(refused) == 2


def test_each_slice_of_an_image_has_its_row(tmp_path: Path) -> None:
    volume = np.random.default_rng(1).integers(900, 1300, (5, 16, 24))
    folder = write_series(tmp_path / "s", volume, [0, 1, 2, 3, 4])
    view = ViewPixels(
        window="soft_tissue", rows=16, columns=24, slices=Slices(choose="middle", count=3)
    )
    found = filled(tmp_path, [ImageSource(folder)], view=view)
    pixels = open_pixels(tmp_path / "out.npy")
    assert found.images[0].slices == (1, 2, 3)
    assert [digest(pixel) for pixel in pixels] == list(found.images[0].digests)
    assert np.array_equal(pixels, pictures_of(ImageSource(folder), view).pixels)


def test_colour_has_an_axis_of_its_own(tmp_path: Path) -> None:
    Image.new("RGB", (24, 16), (1, 2, 3)).save(tmp_path / "c.png")
    view = VIEW.model_copy(update={"colour": "rgb"})
    filled(tmp_path, [ImageSource(tmp_path / "c.png")], view=view)
    assert open_pixels(tmp_path / "out.npy").shape == (1, 16, 24, 3)


@pytest.mark.parametrize("wrong", [np.zeros((2, 3)), np.zeros((2, 3), np.uint8)])
def test_a_file_that_holds_no_pictures(tmp_path: Path, wrong: np.ndarray) -> None:
    np.save(tmp_path / "out.npy", wrong)
    with pytest.raises(TableError, match="run the decode stage again"):
        open_pixels(tmp_path / "out.npy")


def test_a_worker_ends_with_the_process_that_asked(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    asking = context.Process(target=_asks_and_waits, args=(tmp_path / "pid",))
    asking.start()
    while not (tmp_path / "pid").exists():
        assert asking.is_alive()
        time.sleep(0.02)
    worker = int((tmp_path / "pid").read_text())
    asking.kill()
    asking.join()
    while _lives(worker):
        time.sleep(0.02)


def _asks_and_waits(path: Path) -> None:
    worker = multiprocessing.get_context("spawn").Process(
        target=_works_for_ever, args=(path, os.getpid())
    )
    worker.start()
    worker.join()


def _works_for_ever(path: Path, parent: int) -> None:
    workers._end_with(parent)
    beside = path.with_suffix(".partial")
    beside.write_text(str(os.getpid()))
    beside.rename(path)
    while True:
        time.sleep(1)


def _lives(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_cohort(tmp_path: Path) -> None:
    """Ten times the images: the same memory but for some hundred bytes an image."""
    sources = write_images(tmp_path / "images", 10_000)
    peaks = []
    for count in (1000, 10_000):
        tracemalloc.start()
        filled(tmp_path, sources[:count])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 9000 < 2000
