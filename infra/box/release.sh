#!/usr/bin/env bash
# shellcheck disable=SC2154 # opt, etc and root are those of lib.sh, which comes before this.
# Brings a release to the box: fetch, check, unpack, switch, ask for health; and back to the one before if it does not answer.
# `pulumi up` has Systems Manager run it, behind aws.sh and lib.sh and with these set:
#   release_hash  contents of the bundle       artifact_bucket  where its object releases/<hash>.tar.gz is
#   environment   text of the settings' file   certificate      PEM, or nothing
: "${release_hash:?}" "${artifact_bucket:?}" "${environment:?}" "${certificate=}"

[[ "$release_hash" =~ ^[0-9a-f]{64}$ ]] || fail "$release_hash is no hash of a bundle."

# A new box is still preparing itself when the first release is sent to it. Together with the bundle's way here this leaves time, of
# the 900 s that Systems Manager gives before it kills, to switch and to go back.
wait_prepared() {
  local until=$(($(up) + ${NOVADRIVE_PREPARE_SECONDS:-300}))
  until mountpoint -q "$root/var/lib/novadrive" && getent passwd novadrive >/dev/null; do
    [ "$(up)" -lt "$until" ] ||
      fail "The box did not get ready; on the box, see: systemctl status novadrive-prepare; cloud-init status --long"
    sleep 2
  done
}

# Whether a folder holds what the hash says. The hash is that of the list, and the list has mode, hash and path of each file: nothing
# more and nothing else may be there.
is_whole() (
  cd "$1" 2>/dev/null && [ -f FILES ] && [ "$(sha256sum <FILES | cut -d' ' -f1)" = "$release_hash" ] || exit 1
  [ -z "$(find . ! -type f ! -type d)" ] || exit 1
  [ "$(find . -type f ! -path ./FILES -printf '%m %P\n' | LC_ALL=C sort)" = "$(cut -d' ' -f1,3- FILES | LC_ALL=C sort)" ] || exit 1
  sed 's/^[0-7]* \([0-9a-f]*\) /\1  /' FILES | sha256sum --check --status --strict
)

# Into a folder of its own, which gets its name only when everything in it is right.
fetch_release() {
  local incoming="$opt/incoming"
  rm -rf "$incoming"
  mkdir -p "$incoming/files"
  trap 'rm -rf "$opt/incoming"' EXIT
  # S3 wants the hash of the body too, here that of none: not every curl adds it by itself (github.com/curl/curl/issues/8810).
  aws_request s3 "$(aws_url s3)/$artifact_bucket/releases/$release_hash.tar.gz" -o "$incoming/bundle.tar.gz" \
    --max-time 120 --retry 3 --retry-max-time 60 --speed-limit 1000 --speed-time 30 \
    -H "x-amz-content-sha256: $(sha256sum </dev/null | cut -d' ' -f1)" ||
    fail "The bundle could not be fetched from the bucket $artifact_bucket (the box's clock says $(date -u +%FT%TZ)): $(head -c 500 "$incoming/bundle.tar.gz" 2>/dev/null | tr -cd '[:print:]')"
  # Folders are not in the list: that root takes no mode from the archive keeps others from writing in them.
  tar -xzf "$incoming/bundle.tar.gz" -C "$incoming/files" --no-same-owner --no-same-permissions ||
    fail "The bundle could not be unpacked; is the disk full? $(df -h --output=avail "$opt" | tail -n 1) are free. Nothing was changed."
  is_whole "$incoming/files" || fail "The bundle in the bucket is not what its name says. Nothing was changed."
  sync -f "$incoming/files"
  # What is there under this name is damaged, or it would not have been fetched.
  [ ! -e "$opt/releases/$release_hash" ] || mv -T "$opt/releases/$release_hash" "$incoming/damaged"
  mv -T "$incoming/files" "$opt/releases/$release_hash"
}

write_settings() {
  [ -z "$certificate" ] || put certificate.pem <<<"$certificate"
  put novadrive.env <<<"$environment"
}

# The key of a given certificate is not the box's to take back. If it was changed together with the certificate, the new certificate
# is the one that the release before runs with.
start_before() {
  local old="$opt/unfinished/certificate.pem"
  put novadrive.env <"$opt/unfinished/novadrive.env" || return
  [ ! -f "$old" ] || put certificate.pem <"$old" || return
  ! start_release "$before" || return 0
  [ -f "$old" ] && [ -n "$certificate" ] && [ "$certificate" != "$(cat "$old")" ] || return
  put certificate.pem <<<"$certificate" && start_release "$before"
}

lock
wait_prepared
# Of one that was killed.
rm -rf "$opt/incoming"
forget_if_through
if [ "$(release_of current)" = "$release_hash" ] && [ "$environment" = "$(cat "$etc/novadrive.env" 2>/dev/null)" ] &&
  { [ -z "$certificate" ] || [ "$certificate" = "$(cat "$etc/certificate.pem" 2>/dev/null)" ]; } && is_healthy "$release_hash"; then
  # What was cut off at its very end is brought to it.
  keep_as_previous
  say "Release $release_hash runs already, with these settings."
  exit 0
fi
is_whole "$opt/releases/$release_hash" || fetch_release

before="$(remembered)"
remember
write_settings
if start_release "$release_hash"; then
  keep_as_previous
  remove_old_releases
  say "Release $release_hash runs."
  exit 0
fi

last_words
if ! is_there "$before"; then
  forget
  fail "Release $release_hash does not answer at $(health_url); its last words are above. There is none before it${before:+ any more}, so systemd goes on trying: if it lacks a secret, set the secret, and it starts by itself."
fi
if start_before; then
  forget
  fail "Release $release_hash did not answer; its last words are above. Release $before runs again, with its settings."
fi
forget
fail "Release $release_hash did not answer, and neither does $before, which is in its place again; see: journalctl -u novadrive"
