#!/usr/bin/env bash
# Goes back to the release before, with its settings; run again, it comes forward again.
# On the box, as root: /opt/novadrive/current/box/rollback.sh
set -euo pipefail
# shellcheck source=infra/box/files/lib.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

lock
forget_if_through
from="$(release_of current)"
if [ -d "$opt/unfinished" ]; then
  # A release, or a roll-back, was cut off half-way.
  to="$(remembered)"
  settings="$opt/unfinished/novadrive.env"
else
  to="$(previous_release)"
  settings="$etc/previous.env"
fi
is_there "$to" && [ -f "$settings" ] || fail "There is no release before this one to go back to."

remember
sed '1{/^# Release /d}' "$settings" | put novadrive.env
started=no
start_release "$to" && started=yes
keep_as_previous
if [ "$started" = yes ]; then
  say "Release $to runs again, in place of $from. The next release by pulumi up goes forward from here."
else
  last_words
  fail "Release $to does not answer at $(health_url) either; see: journalctl -u novadrive. Release $from comes back with: $0"
fi
