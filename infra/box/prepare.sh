#!/usr/bin/env bash
# Makes the box ready at every start: the service's user, and the disk of the state at its place. Does nothing that was done.
set -euo pipefail

# Set by the unit: the EC2 volume's id, and what it is called on types before Nitro.
: "${VOLUME_ID:?}" "${XEN_DEVICE:?}"
state="${NOVADRIVE_STATE:-/var/lib/novadrive}"

fail() {
  printf 'novadrive: %s\n' "$*" >&2
  exit 1
}

getent passwd novadrive >/dev/null ||
  useradd --system --user-group --home-dir "$state" --no-create-home --shell /usr/sbin/nologin novadrive
mkdir -p "$state"
! mountpoint -q "$state" || exit 0

# On Nitro the serial number of a disk is its volume's id without the dash; the number in /dev/nvme1n1 is of no meaning.
find_disk() {
  local disk
  disk="$(lsblk --nodeps --noheadings --paths --output NAME,SERIAL | awk -v serial="${VOLUME_ID/-/}" '$2 == serial { print $1 }')"
  [ -n "$disk" ] || { [ ! -e "$XEN_DEVICE" ] || disk="$XEN_DEVICE"; }
  [ -n "$disk" ] && echo "$disk"
}

# The volume is attached when the box already runs.
until disk="$(find_disk)"; do
  [ "$SECONDS" -lt "${NOVADRIVE_DISK_SECONDS:-600}" ] || fail "The volume $VOLUME_ID is not attached."
  sleep 2
done
signatures="$(wipefs --no-act --parsable --noheadings "$disk")" || fail "$disk cannot be read."
if [ -z "$signatures" ]; then
  # A new volume is all zeros. What is neither that nor a file system may be somebody's data.
  cmp --silent --bytes=1048576 "$disk" /dev/zero || fail "$disk has no file system, but is not blank either: it is left alone. If nobody needs what is on it: wipefs --all $disk; head --bytes=1M /dev/zero >$disk"
  mkfs.ext4 -q -L novadrive-state -m 1 "$disk"
fi
# After a loss of power. 1 is "repaired"; what it does not repair without being told to may cost data.
e2fsck -p "$disk" || [ $? -le 1 ] || fail "$disk is damaged; e2fsck $disk asks what to do."
uuid="$(blkid --probe --match-tag UUID --output value "$disk")"
mount -o noatime,nodev,nosuid,noexec UUID="$uuid" "$state"
# After the volume was made larger; otherwise it has nothing to do.
resize2fs "$disk" >/dev/null 2>&1 || true
