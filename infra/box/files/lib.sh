#!/usr/bin/env bash
# What a release and a way back have in common: the places of things, moving the link, asking for health. To be sourced.
#
#   /opt/novadrive/releases/<hash>   what was unpacked, one folder a bundle; the three newest are kept
#   /opt/novadrive/current           link to the one that runs
#   /opt/novadrive/previous          link to the one before, with its settings in /etc/novadrive/previous.env
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

# Only one at a time: a second one would move the link under the feet of the first.
lock() {
  mkdir -p "$opt/releases" "$etc" "$units"
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
  local restarts until=$((SECONDS + ${NOVADRIVE_HEALTH_SECONDS:-120}))
  while ! is_healthy "$1"; do
    restarts="$(systemctl show --property=NRestarts --value novadrive.service 2>/dev/null || true)"
    # It ended three times by itself: more of the same will not help.
    [ "${restarts:-0}" -lt 3 ] || return 1
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep "${NOVADRIVE_HEALTH_PAUSE:-1}"
  done
}

# Runs a release that is there, and waits until it answers.
start_release() {
  local unit
  point current "$1" && touch "$opt/releases/$1" || return
  for unit in "$opt/current/box"/*.service "$opt/current/box"/*.timer; do
    install -m 644 "$unit" "$units/$(basename "$unit")" || return
  done
  systemctl daemon-reload || return
  systemctl reset-failed novadrive.service 2>/dev/null || true
  systemctl enable --quiet novadrive.service novadrive-report.timer &&
    systemctl restart novadrive.service &&
    systemctl restart novadrive-report.timer &&
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
    case "$folder" in "$(release_of current)" | "$(release_of previous)") continue ;; esac
    rm -rf "${opt:?}/releases/${folder:?}"
  done < <(find "$opt/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn | cut -d' ' -f2)
}
