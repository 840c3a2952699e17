#!/bin/busybox sh
# The first program on the emulated board: finds disk and network, and then does what is typed at its console.
/bin/busybox mkdir -p /proc /sys /dev /data /tmp
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do
  insmod "$module"
done
ip link set lo up
ip address add 10.0.2.15/24 dev eth0
ip link set eth0 up
until [ -b /dev/vda ]; do
  usleep 100000
done
mount -t ext4 /dev/vda /data
stty -echo -onlcr </dev/console
echo "board: up"
# No prompt: what is said is read by a program.
export PS1=
exec sh </dev/console >/dev/console 2>&1
