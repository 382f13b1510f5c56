#!/usr/bin/env bash
# Goes back to the release before, with its settings; run again, it comes forward again.
# On the box, as root: /opt/novadrive/current/box/rollback.sh
set -euo pipefail
# shellcheck source=infra/box/files/lib.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

lock
from="$(release_of current)"
to="$(release_of previous)"
[ -n "$to" ] && [ -d "$opt/releases/$to" ] || fail "There is no release before this one to go back to."

cp "$etc/novadrive.env" "$etc/rollback.env"
cp "$etc/previous.env" "$etc/novadrive.env"
mv "$etc/rollback.env" "$etc/previous.env"
point previous "$from"
if start_release "$to"; then
  say "Release $to runs again, in place of $from. The next release by pulumi up goes forward from here."
else
  last_words
  fail "Release $to does not answer at $(health_url) either; see: journalctl -u novadrive. Release $from comes back with: $0"
fi
