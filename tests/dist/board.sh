#!/bin/sh
# Makes what an emulated board starts from, in the directory that is named: Debian's kernel for arm64, and a
# file system in memory with the program, busybox and what the kernel needs to find its disk and network.
# What is fetched is checked by apt against Debian's own keys, and kept. board.rs runs it: make board.
set -eu

board=$1
program=$2
suite=bookworm
keys=/usr/share/keyrings/debian-archive-keyring.gpg
modules="virtio_mmio virtio_blk virtio_net ext4"

missing=
for tool in qemu-system-aarch64:qemu-system-arm apt-get:apt dpkg-deb:dpkg cpio:cpio depmod:kmod modprobe:kmod \
  mkfs.ext4:e2fsprogs; do
  command -v "${tool%%:*}" >/dev/null || [ -x "/usr/sbin/${tool%%:*}" ] || missing="$missing ${tool##*:}"
done
[ -e $keys ] || missing="$missing debian-archive-keyring"
if [ -n "$missing" ]; then
  echo "no board: missing$missing (Debian: apt-get install$missing)" >&2
  exit 1
fi
PATH=$PATH:/usr/sbin

mkdir -p "$board"
board=$(cd "$board" && pwd)

# An apt of its own, which knows of arm64 alone and of nothing that is installed here.
fetch() {
  apt=$board/apt
  mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
  : >"$apt/status"
  echo "deb [signed-by=$keys] http://deb.debian.org/debian $suite main" >"$apt/sources.list"
  cat >"$apt/apt.conf" <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
END
  APT_CONFIG=$apt/apt.conf
  export APT_CONFIG
  timeout 300 apt-get update -qq
  kernel=$(apt-cache depends linux-image-arm64 | sed -n 's/.*Depends: \(linux-image-[0-9]\)/\1/p' | head -n 1)
  (cd "$board" && rm -f ./*.deb && timeout 300 apt-get download -qq "$kernel" busybox-static)
  unset APT_CONFIG
}

if [ ! -e "$board/fetched" ]; then
  fetch
  rm -rf "$board/debian"
  for package in "$board"/*.deb; do
    dpkg-deb -x "$package" "$board/debian"
  done
  touch "$board/fetched"
fi

version=$(ls "$board/debian/lib/modules")
depmod -b "$board/debian" "$version"
rm -rf "$board/start"
mkdir -p "$board/start/bin" "$board/start/modules"
cp "$board/debian/bin/busybox" "$board/start/bin/"
cp "$program" "$board/start/bin/tern"
number=10
for module in $modules; do
  modprobe --show-depends -d "$board/debian" -S "$version" "$module"
done | awk '!seen[$2]++ { print $2 }' | while read -r file; do
  # In the order in which they must be loaded.
  cp "$file" "$board/start/modules/$number-$(basename "$file")"
  number=$((number + 1))
done
cp "$(dirname "$0")/board-init.sh" "$board/start/init"
chmod 755 "$board/start/init" "$board/start/bin/tern"
(cd "$board/start" && find . | LC_ALL=C sort | cpio --quiet --create --format=newc --owner=0:0) >"$board/initrd"
cp "$board/debian/boot/vmlinuz-$version" "$board/kernel"
# A disk that is made anew for each run: nothing is left of the one before.
rm -f "$board/disk"
truncate --size=256M "$board/disk"
mkfs.ext4 -q "$board/disk"
echo "Linux $version, $(wc -c <"$board/initrd") bytes in memory"
