#!/bin/sh
# Boots a real systemd on a copy of this machine: an overlay of its root, in namespaces and control groups of its own.
# Nothing that happens in there changes this machine, and all of it ends with its first process.
# Usage: boot.sh FOLDER NAME LOOP: FOLDER is empty, NAME is for its control groups, /dev/loopLOOP is the machine's disk.
set -eu
folder=$1 name=$2 loop=$3
if [ "${4:-}" != inside ]; then
  # Every hierarchy that there is, of version 1 or 2.
  for place in $(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts); do
    mkdir -p "$place/$name"
    if [ -e "$place/cpuset.mems" ]; then
      for each in cpuset.cpus cpuset.mems; do cat "$place/$each" >"$place/$name/$each"; done
    fi
    echo $$ >"$place/$name/cgroup.procs"
  done
  exec unshare --cgroup --mount --pid --fork --uts --ipc --propagation private --mount-proc sh "$0" "$folder" "$name" "$loop" inside
fi

mount -t tmpfs overlay "$folder"
root=$folder/root
mkdir "$folder/upper" "$folder/work" "$root"
awk '$3 ~ /^cgroup2?$/ { print $1, $2, $3, $4 }' /proc/mounts >"$folder/cgroups"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
if grep -q ' /sys/fs/cgroup cgroup2 ' "$folder/cgroups"; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs cgroups "$root/sys/fs/cgroup"
  while read -r _ place type options; do
    mkdir -p "$root$place"
    if [ "$type" = cgroup2 ]; then mount -t cgroup2 cgroup2 "$root$place"; continue; fi
    what=$(echo "$options" | tr , '\n' | grep -vE '^(rw|ro|nosuid|nodev|noexec|relatime|clone_children|xattr)$' | paste -sd ,)
    case "$what" in name=*) what="none,$what" ;; esac
    mount -t cgroup -o "$what" cgroup "$root$place"
  done <"$folder/cgroups"
fi

dev=$root/dev
mount -t tmpfs dev "$dev"
mkdir "$dev/pts" "$dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$dev/pts"
ln -s pts/ptmx "$dev/ptmx"
ln -s /proc/self/fd "$dev/fd"
for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$dev/${node%:*}" c 1 "${node#*:}"; done
mknod -m 660 "$dev/loop$loop" b 7 "$loop"
chgrp disk "$dev/loop$loop"

for place in run tmp; do mount -t tmpfs "$place" "$root/$place"; done
chmod 1777 "$root/tmp"
: >"$root/etc/fstab"
: >"$root/etc/machine-id"
# What would touch the kernel that both machines share.
cd "$root/etc/systemd/system"
for unit in systemd-udevd systemd-udev-trigger systemd-networkd networking systemd-resolved systemd-timesyncd systemd-sysctl \
  systemd-modules-load systemd-random-seed systemd-remount-fs ssh; do ln -sf /dev/null "$unit.service"; done
for unit in dev-hugepages dev-mqueue sys-kernel-debug sys-kernel-tracing sys-kernel-config sys-fs-fuse-connections; do
  ln -sf /dev/null "$unit.mount"
done
printf '[Unit]\nRequires=basic.target\nAfter=basic.target\n' >test.target
hostname "$name"
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" /lib/systemd/systemd --system --unit=test.target </dev/null
