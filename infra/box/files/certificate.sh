#!/usr/bin/env bash
# Makes the page's certificate where the settings name one that is to be made here: signed by itself, so that a browser asks once.
# Run before each start as the service's user. One that was configured is left alone.
set -euo pipefail
# shellcheck source=infra/box/files/aws.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/aws.sh"

folder="${STATE_DIRECTORY:-/var/lib/novadrive}/tls"
certificate="${NOVADRIVE_UI_TLS_CERT:-}"
[ "$certificate" = "$folder/certificate.pem" ] || exit 0
# 30 days left, in seconds.
! openssl x509 -checkend 2592000 -noout -in "$certificate" >/dev/null 2>&1 || exit 0

names="DNS:localhost,IP:127.0.0.1"
if address="$(metadata_of meta-data/public-ipv4 2>/dev/null)" && [ -n "$address" ]; then names="$names,IP:$address"; fi
umask 077
mkdir -p "$folder"
# 825 days is the longest that every browser takes.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj /CN=novadrive \
  -addext "subjectAltName=$names" -addext extendedKeyUsage=serverAuth \
  -keyout "$folder/key.new" -out "$folder/certificate.new" 2>/dev/null
mv "$folder/key.new" "$folder/key.pem"
mv "$folder/certificate.new" "$certificate"
echo "made a certificate for $names"
