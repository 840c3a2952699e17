#!/bin/sh
# Makes what a Debian of its own starts from, in the directory that is named: its kernel, and a disk with
# systemd, the package, and a shell at its console once all is up. What is fetched is kept. Only root makes it.
# tests/install/boot.rs runs it: make boot.
set -eu

boot=$1
package=$2
suite=$3

missing=
for tool in qemu-system-x86_64:qemu-system-x86 mmdebstrap:mmdebstrap mkfs.ext4:e2fsprogs; do
  command -v "${tool%%:*}" >/dev/null || [ -x "/usr/sbin/${tool%%:*}" ] || missing="$missing ${tool##*:}"
done
if [ -n "$missing" ]; then
  echo "nothing to boot: missing$missing (Debian: apt-get install$missing)" >&2
  exit 1
fi
PATH=$PATH:/usr/sbin

root=$boot/root
if [ ! -e "$boot/complete" ]; then
  rm -rf "$boot"
  mkdir -p "$root"
  timeout 900 mmdebstrap --quiet --variant=minbase \
    --include=systemd,systemd-sysv,linux-image-cloud-amd64,iproute2,curl,jq "$suite" "$boot/root.tar"
  tar -xf "$boot/root.tar" -C "$root" --exclude='./dev/*'
  rm "$boot/root.tar"
  touch "$boot/complete"
fi

rm -rf "$root/srv" "$boot/disk"
mkdir "$root/srv"
cp "$package" "$root/srv/"
echo "/dev/vda / ext4 defaults 0 1" >"$root/etc/fstab"
cat >"$root/etc/systemd/system/console.service" <<'END'
[Unit]
Description=A shell whose words are read by a program
Conflicts=serial-getty@ttyS0.service

[Service]
Type=idle
ExecStart=/bin/sh -c "ip address add 10.0.2.15/24 dev $$(ls /sys/class/net | grep -v lo); ip link set $$(ls /sys/class/net | grep -v lo) up; stty -echo -onlcr; echo boot: up; cd /srv; exec env HOME=/root PS1= PS2= /bin/sh"
StandardInput=tty
StandardOutput=tty
TTYPath=/dev/ttyS0
Restart=always

[Install]
WantedBy=multi-user.target
END
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf ../console.service "$root/etc/systemd/system/multi-user.target.wants/console.service"
cp "$root"/boot/vmlinuz-* "$boot/kernel"
cp "$root"/boot/initrd.img-* "$boot/initrd"
truncate --size=1500M "$boot/disk"
mkfs.ext4 -q -d "$root" "$boot/disk"
