"""Setup scripts that break a file system: failing, small, read-only, without inodes."""

from __future__ import annotations

from .lab import LAB

PYTHON = str(LAB / "venv/bin/python")  # has mfusepy


def failing(operations: str, *, match: str = "", after: int = 0, errno: str = "EIO", where: str = "") -> str:
    """Mount a failing pass-through over a folder of the build (the build's own folder by default)."""
    target = where or "$PWD"
    return f"""target={target}; mkdir -p $target $RUN/backing; cp -a $target/. $RUN/backing/
$LAB/venv/bin/python $TOOLS/failfs.py $RUN/backing $target '{operations}' {errno} '{match}' {after} &
for i in $(seq 80); do grep -q " $target fuse" /proc/self/mounts && break; sleep 0.05; done; grep -q " $target fuse" /proc/self/mounts
"""


def small(size: str, *, where: str = "", inodes: str = "") -> str:
    """Put a folder of the build (its own by default) on a small tmpfs, with what it holds."""
    target = where or "$PWD"
    limit = f",nr_inodes={inodes}" if inodes else ""
    return f"""target={target}; mkdir -p $target $RUN/keep; cp -a $target/. $RUN/keep/
mount -t tmpfs -o size={size}{limit} tmpfs $target && cp -a $RUN/keep/. $target/
"""


def small_ext4(megabytes: int, *, where: str = "", options: str = "") -> str:
    """Put a folder of the build on a small ext4 image, so that df shows a device."""
    target = where or "$PWD"
    return f"""target={target}; mkdir -p $target $RUN/keep; cp -a $target/. $RUN/keep/
truncate -s {megabytes}M $RUN/disk.img; mkfs.ext4 -q -m 0 {options} $RUN/disk.img
mount -o loop $RUN/disk.img $target && rm -rf $target/lost+found && cp -a $RUN/keep/. $target/
"""


def small_root(size: str) -> str:
    """Give the container of the `chroot` wrapper a writable layer of this size."""
    return f"mkdir -p $RUN/cow; mount -t tmpfs -o size={size} tmpfs $RUN/cow\n"


def in_root(commands: str) -> str:
    """Run commands after the container of the `chroot` wrapper is mounted ($ROOT)."""
    return f"in_root() {{\n{commands}\n}}\nexport -f in_root\n"


def small_docker(size: str, image: str, folder: str, flags: str = "") -> str:
    """Start a Docker daemon on a disk of this size, with one image in it."""
    return f"""mkdir -p $RUN/dd; mount -t tmpfs -o size={size} tmpfs $RUN/dd; mkdir $RUN/dd/data
umount /var/run/docker.sock
/usr/sbin/dockerd --storage-driver=overlay2 --iptables=false --bridge=none {flags} --data-root $RUN/dd/data --exec-root $RUN/exec -p $RUN/pid -H unix://$RUN/small.sock > $RUN/dockerd.log 2>&1 &
for i in $(seq 60); do [ -S $RUN/small.sock ] && break; sleep 0.2; done; sleep 0.5
export DOCKER_HOST=unix://$RUN/small.sock
tar -C $LAB/roots/{folder} --exclude=./usr/share/doc --exclude=./usr/share/locale -c . | /usr/bin/docker import -c 'CMD ["bash"]' - {image}
/usr/bin/docker image inspect {image} > /dev/null
"""
