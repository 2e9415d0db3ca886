#!/bin/bash
# boot.sh WORKDIR PROGRAM: boots a Debian kernel in QEMU (TCG) with emulated AHCI, IDE and NVMe disks and the kernel's
# scsi_debug, runs PROGRAM (static) on each of them and smartctl beside it, and prints what both said:
#   BEGIN report DEV / END, BEGIN smartctl DEV / END.
# Wants the Debian packages qemu-system-x86 busybox-static kmod cpio smartmontools; the kernel package is fetched once
# into WORKDIR. No network in the guest, no root on the host.
set -euo pipefail
mkdir -p "$1"
work=$(cd "$1" && pwd) program=$(realpath "$2")
cd "$work"
exec 9>lock
flock 9 # one guest at a time uses the folder
PATH=$PATH:/usr/sbin:/sbin
version=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: linux-image-//p' | head -n1)
if [ ! -e "kernel/boot/vmlinuz-$version" ]; then
	for _ in 1 2 3; do
		ls linux-image-"$version"_*.deb >/dev/null 2>&1 || apt-get -q download "linux-image-$version" >&2 || sleep 5
	done
	mkdir -p kernel
	dpkg-deb --fsys-tarfile linux-image-"$version"_*.deb | tar x -C kernel ./boot ./lib/modules
	depmod -b "$work/kernel" "$version"
fi

rm -rf root
mkdir -p root/{bin,dev,proc,sys,modules,usr/share/smartmontools}
cp "$(command -v busybox)" root/bin/busybox
cp "$program" root/bin/report
tool=$(command -v smartctl)
cp "$tool" root/bin/smartctl
ldd "$tool" | grep -o '/[^ ]*' | while read -r lib; do
	mkdir -p "root$(dirname "$lib")"
	cp -L "$lib" "root$lib"
done
for db in /var/lib/smartmontools/drivedb/drivedb.h /usr/share/smartmontools/drivedb.h; do
	[ ! -e $db ] || { cp $db root/usr/share/smartmontools/; break; }
done
: >root/modules/order
for module in virtio_pci ahci ata_piix sd_mod sg nvme scsi_debug; do
	line=$(grep -E "/${module//_/[-_]}\.ko(\.xz)?:" "kernel/lib/modules/$version/modules.dep") || continue
	for file in $(tr ' ' '\n' <<<"${line#*:}" | tac) "${line%%:*}"; do
		[ -n "$file" ] || continue
		name=$(basename "$file")
		grep -qx "$name" root/modules/order && continue
		cp "kernel/lib/modules/$version/$file" root/modules/
		echo "$name" >>root/modules/order
	done
done
cat >root/init <<'IN'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs d /dev
mount -t proc p /proc
mount -t sysfs s /sys
echo 1 >/proc/sys/kernel/printk
while read -r m; do
	case $m in scsi_debug*) insmod /modules/$m dev_size_mb=8 ;; *) insmod /modules/$m ;; esac
done </modules/order
sleep 1
for d in /dev/sd? /dev/nvme?; do
	echo "BEGIN report $d"; report -format json -drivedb /usr/share/smartmontools/drivedb.h -device $d; echo "END $?"
	echo "BEGIN smartctl $d"; smartctl -x -j $d; echo "END $?"
done
echo DONE
poweroff -f
IN
chmod +x root/init
(cd root && find . | cpio -o -H newc --quiet | gzip -1 >../initrd.gz)
for disk in sata ide nvme; do [ -e $disk.img ] || truncate -s 64M $disk.img; done
exec qemu-system-x86_64 -accel tcg -m 512 -smp 1 -display none -no-reboot -serial stdio -monitor none -nic none \
	-kernel "kernel/boot/vmlinuz-$version" -initrd initrd.gz -append "console=ttyS0 quiet panic=-1 tsc=unstable" \
	-device ich9-ahci,id=ahci0 -drive if=none,id=d0,file=sata.img,format=raw -device ide-hd,drive=d0,bus=ahci0.0,serial=SATA1,model=EMULATED-SATA \
	-drive if=none,id=d1,file=ide.img,format=raw -device ide-hd,drive=d1,bus=ide.0,serial=IDE1,wwn=0x5000c50012345678 \
	-drive if=none,id=d2,file=nvme.img,format=raw -device nvme,drive=d2,serial=NVME1
