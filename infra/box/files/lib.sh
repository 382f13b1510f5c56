#!/usr/bin/env bash
# What a release and a way back have in common: the places of things, moving the link, asking for health. To be sourced.
#
#   /opt/novadrive/releases/<hash>   what was unpacked, one folder a bundle; the three newest are kept
#   /opt/novadrive/current           link to the one that runs
#   /etc/novadrive/previous.env      settings of the one before, its hash in the first line
#   /opt/novadrive/unfinished/       what ran before a change that is going on: its hash, settings and certificate
#   /etc/novadrive/novadrive.env     settings; secrets only by reference

root="${NOVADRIVE_ROOT:-}"
opt="$root/opt/novadrive"
etc="$root/etc/novadrive"
units="$root/etc/systemd/system"
keep_releases=3

say() { printf '%s\n' "$*"; }

fail() {
  printf 'novadrive: %s\n' "$*" >&2
  exit 1
}

# Seconds since the box started. SECONDS would do, but follows the clock, which is set right at some moment after the start.
up() {
  local seconds
  IFS=. read -r seconds _ </proc/uptime
  echo "$seconds"
}

# Only one at a time: a second one would move the link under the feet of the first. Who can open a file can lock it, so that the
# service's user may not.
lock() {
  umask 022
  mkdir -p "$opt/releases" "$etc" "$units"
  (umask 077 && : >>"$opt/lock")
  chmod 600 "$opt/lock"
  exec 9>"$opt/lock"
  flock --nonblock 9 || fail "Another release or roll-back is going on; try again when it is over."
}

# Value of a setting as it stands in the file, where every value is in double quotes.
setting() {
  [ ! -f "$etc/novadrive.env" ] || sed -n "s/^$1=\"\(.*\)\"\$/\1/p" "$etc/novadrive.env"
}

# Hash of the release that a link points to; nothing without the link.
release_of() {
  [ ! -L "$opt/$1" ] || basename "$(readlink "$opt/$1")"
}

# point current <hash>: at no moment is there no link, or half of one.
point() {
  ln -sfn "releases/$2" "$opt/.$1.new"
  mv -T "$opt/.$1.new" "$opt/$1"
}

# A file in /etc/novadrive, from standard input: at no moment is there half of it, nor after a loss of power.
put() {
  cat >"$etc/.$1.new" && sync "$etc/.$1.new" && mv "$etc/.$1.new" "$etc/$1"
}

# Before anything is changed: writes down what runs. If that was written down already, a change was cut off half-way, and what ran
# before *it* is what is known to have run.
remember() {
  local file new="$opt/.unfinished"
  [ ! -d "$opt/unfinished" ] || return 0
  rm -rf "$new"
  mkdir "$new"
  release_of current >"$new/release"
  for file in novadrive.env certificate.pem; do
    [ ! -f "$etc/$file" ] || cp "$etc/$file" "$new/"
  done
  sync -f "$new"
  mv -T "$new" "$opt/unfinished"
}

# Hash of what ran before the change that is going on.
remembered() {
  if [ -d "$opt/unfinished" ]; then cat "$opt/unfinished/release"; else release_of current; fi
}

# The change is through.
forget() {
  rm -rf "$opt/.unfinished"
  [ ! -d "$opt/unfinished" ] || mv -T "$opt/unfinished" "$opt/.unfinished"
  rm -rf "$opt/.unfinished"
}

# What ran before the change, as previous.env holds it: in one file, so that hash and settings never are those of different releases.
remembered_settings() {
  echo "# Release $(cat "$opt/unfinished/release")" && cat "$opt/unfinished/novadrive.env"
}

previous_release() {
  [ ! -f "$etc/previous.env" ] || sed -n '1s/^# Release //p' "$etc/previous.env"
}

# The change is through, and what ran before it is what a roll-back goes to. With the same bundle, that is the settings alone.
keep_as_previous() {
  local hash
  hash="$(remembered)"
  if [ -d "$opt/unfinished" ] && is_there "$hash" &&
    { [ "$hash" != "$(release_of current)" ] || ! cmp -s "$opt/unfinished/novadrive.env" "$etc/novadrive.env"; }; then
    remembered_settings | put previous.env
  fi
  forget
}

# A change that was cut off between its last two steps is through.
forget_if_through() {
  [ ! -d "$opt/unfinished" ] || ! remembered_settings 2>/dev/null | cmp -s - "$etc/previous.env" || forget
}

# Whether there is a release of this hash. Its contents were checked before it got its name.
is_there() {
  [ -n "$1" ] && [ -f "$opt/releases/$1/box/novadrive.service" ]
}

health_url() {
  local scheme=http port
  [ -z "$(setting NOVADRIVE_UI_TLS_CERT)" ] || scheme=https
  port="$(setting NOVADRIVE_PORT)"
  echo "$scheme://127.0.0.1:${port:-8080}/healthz"
}

# Whether this very release answers, and not one that is still on its way out. On loopback the certificate's name cannot be right.
is_healthy() {
  curl -fsS --insecure --max-time 5 "$(health_url)" 2>/dev/null | grep -qF "\"release\":\"$1\""
}

wait_healthy() {
  local restarts until=$(($(up) + ${NOVADRIVE_HEALTH_SECONDS:-120}))
  while ! is_healthy "$1"; do
    restarts="$(systemctl show --property=NRestarts --value novadrive.service 2>/dev/null || true)"
    # It ended three times by itself: more of the same will not help.
    [ "${restarts:-0}" -lt 3 ] || return 1
    [ "$(up)" -lt "$until" ] || return 1
    sleep "${NOVADRIVE_HEALTH_PAUSE:-1}"
  done
}

# Runs a release, and waits until it answers. Where it is not there any more, nothing is changed.
start_release() {
  local unit timers=()
  is_there "$1" && point current "$1" && touch "$opt/releases/$1" || return
  for unit in "$opt/current/box"/*.service "$opt/current/box"/*.timer; do
    install -m 644 "$unit" "$units/$(basename "$unit")" || return
    case "$unit" in *.timer) timers+=("$(basename "$unit")") ;; esac
  done
  systemctl daemon-reload || return
  systemctl reset-failed novadrive.service 2>/dev/null || true
  systemctl enable --quiet novadrive.service "${timers[@]}" &&
    systemctl restart novadrive.service &&
    systemctl restart "${timers[@]}" &&
    wait_healthy "$1"
}

# The last words of the service, for whoever reads why a release failed. It prints no secret.
last_words() {
  journalctl --unit=novadrive.service --lines=40 --output=cat --no-pager >&2 2>/dev/null || true
}

# Removes what is older than the newest few, but never what a link points to.
remove_old_releases() {
  local folder kept=0
  while IFS= read -r folder; do
    kept=$((kept + 1))
    [ "$kept" -gt "$keep_releases" ] || continue
    case "$folder" in "$(release_of current)" | "$(previous_release)" | "$(remembered)") continue ;; esac
    rm -rf "${opt:?}/releases/${folder:?}"
  done < <(find "$opt/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn | cut -d' ' -f2)
}
