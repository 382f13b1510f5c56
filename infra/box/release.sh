#!/usr/bin/env bash
# shellcheck disable=SC2154 # opt, etc and root are those of lib.sh, which comes before this.
# Brings a release to the box: fetch, check, unpack, switch, ask for health; and back to the one before if it does not answer.
# `pulumi up` has Systems Manager run it, behind aws.sh and lib.sh and with these set:
#   release_hash  contents of the bundle       artifact_bucket  where its object releases/<hash>.tar.gz is
#   environment   text of the settings' file   certificate      PEM, or nothing
: "${release_hash:?}" "${artifact_bucket:?}" "${environment:?}" "${certificate=}"
umask 022

[[ "$release_hash" =~ ^[0-9a-f]{64}$ ]] || fail "$release_hash is no hash of a bundle."

# A new box is still preparing itself when the first release is sent to it.
wait_prepared() {
  local until=$((SECONDS + ${NOVADRIVE_PREPARE_SECONDS:-600}))
  until mountpoint -q "$root/var/lib/novadrive" && getent passwd novadrive >/dev/null; do
    [ "$SECONDS" -lt "$until" ] ||
      fail "The box did not get ready; on the box, see: systemctl status novadrive-prepare; cloud-init status --long"
    sleep 2
  done
}

# Into a folder of its own, which gets its name only when everything in it is right.
fetch_release() {
  local incoming="$opt/incoming" there
  rm -rf "$incoming"
  mkdir -p "$incoming/files"
  trap 'rm -rf "$opt/incoming"' EXIT
  # S3 wants the hash of the body too, here that of none: not every curl adds it by itself (github.com/curl/curl/issues/8810).
  aws_request s3 "$(aws_url s3)/$artifact_bucket/releases/$release_hash.tar.gz" -o "$incoming/bundle.tar.gz" --max-time 600 --retry 3 \
    --speed-limit 1000 --speed-time 30 \
    -H "x-amz-content-sha256: $(sha256sum </dev/null | cut -d' ' -f1)" ||
    fail "The bundle could not be fetched from the bucket $artifact_bucket: $(head -c 500 "$incoming/bundle.tar.gz" 2>/dev/null)"
  tar -xzf "$incoming/bundle.tar.gz" -C "$incoming/files" --no-same-owner ||
    fail "The bundle could not be unpacked; is the disk full? $(df -h --output=avail "$opt" | tail -n 1) are free. Nothing was changed."
  rm "$incoming/bundle.tar.gz"
  cd "$incoming/files" || fail "The bundle is empty."
  # The hash is that of the list, and the list has mode, hash and path of each file: nothing more and nothing else may be there.
  [ "$(sha256sum <FILES | cut -d' ' -f1)" = "$release_hash" ] && [ -z "$(find . ! -type f ! -type d)" ] ||
    fail "The bundle in the bucket is not what its name says. Nothing was changed."
  there="$(find . -type f ! -path ./FILES -printf '%m %P\n' | LC_ALL=C sort)"
  [ "$there" = "$(cut -d' ' -f1,3- FILES | LC_ALL=C sort)" ] && sed 's/^[0-7]* \([0-9a-f]*\) /\1  /' FILES | sha256sum --check --quiet --strict ||
    fail "The bundle in the bucket is not what its name says. Nothing was changed."
  cd "$opt" || fail "$opt is gone."
  sync -f "$incoming/files"
  mv -T "$incoming/files" "$opt/releases/$release_hash"
}

write_settings() {
  printf '%s\n' "$environment" >"$etc/novadrive.env.new"
  [ -z "$certificate" ] || printf '%s\n' "$certificate" >"$etc/certificate.pem"
  mv "$etc/novadrive.env.new" "$etc/novadrive.env"
}

lock
wait_prepared
before="$(release_of current)"
if [ "$before" = "$release_hash" ] && [ "$environment" = "$(cat "$etc/novadrive.env" 2>/dev/null)" ] &&
  { [ -z "$certificate" ] || [ "$certificate" = "$(cat "$etc/certificate.pem" 2>/dev/null)" ]; } && is_healthy "$release_hash"; then
  say "Release $release_hash runs already, with these settings."
  exit 0
fi
[ -d "$opt/releases/$release_hash" ] || fetch_release

[ -z "$before" ] || cp "$etc/novadrive.env" "$etc/before.env"
[ ! -f "$etc/certificate.pem" ] || cp "$etc/certificate.pem" "$etc/before.pem"
write_settings
if start_release "$release_hash"; then
  if [ -n "$before" ]; then
    # The settings before go with the release before; with the same bundle, it is the settings alone that can be taken back.
    mv "$etc/before.env" "$etc/previous.env"
    point previous "$before"
  fi
  remove_old_releases
  say "Release $release_hash runs."
  exit 0
fi

last_words
if [ -z "$before" ]; then
  fail "Release $release_hash does not answer at $(health_url); its last words are above. There is none before it, so systemd goes on trying: if it lacks a secret, set the secret, and it starts by itself."
fi
mv "$etc/before.env" "$etc/novadrive.env"
[ ! -f "$etc/before.pem" ] || mv "$etc/before.pem" "$etc/certificate.pem"
if start_release "$before"; then
  fail "Release $release_hash did not answer; its last words are above. Release $before runs again, with its settings."
fi
fail "Release $release_hash did not answer, and neither does $before, which is in its place again; see: journalctl -u novadrive"
