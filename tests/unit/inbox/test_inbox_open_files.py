"""A file that somebody has open is not complete; where the system cannot say so, nobody is held up."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from importer.inbox.open_files import file_system, is_being_written, shows_writers

MOUNTS = r"""22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:25 / /srv/in rw shared:2 - nfs4 files.example.com:/export rw
31 22 0:26 / /srv/two\040words rw - cifs //files.example.com/in rw
32 30 0:27 / /srv/in/local rw - tmpfs tmpfs rw
33 22 0:28 / /srv/over rw - ext4 /dev/vdb rw
34 22 0:29 / /srv/over rw - fuse.sshfs files.example.com: rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/customers.csv", "ext4"),
        ("/srv/in/customers.csv", "nfs4"),
        ("/srv/inbox/customers.csv", "ext4"),
        ("/srv/two words/a/customers.csv", "cifs"),
        ("/srv/in/local/customers.csv", "tmpfs"),
        ("/srv/over/customers.csv", "fuse.sshfs"),
    ],
)
def test_the_file_system_is_that_of_the_deepest_and_last_mount(path: str, kind: str) -> None:
    assert file_system(MOUNTS, Path(path)) == kind


def test_a_writer_in_another_program_is_found_and_a_reader_is_not_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x")
    if not shows_writers(path):
        pytest.skip("the system does not show it")
    hold = "import sys; held = open(sys.argv[1], sys.argv[2]); print('open', flush=True); sys.stdin.read()"
    for mode, seen in (("a", True), ("r", False)):
        with subprocess.Popen(
            [sys.executable, "-c", hold, path, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "open\n"
            assert is_being_written(path) is seen
            other.communicate()
    assert not is_being_written(path)
    assert not is_being_written(tmp_path / "gone.csv")


def test_asking_leaves_signal_handlers_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x")
    before = signal.getsignal(signal.SIGURG), signal.getsignal(signal.SIGIO)
    is_being_written(path)

    assert (signal.getsignal(signal.SIGURG), signal.getsignal(signal.SIGIO)) == before
