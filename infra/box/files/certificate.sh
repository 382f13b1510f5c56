#!/usr/bin/env bash
# Makes the page's certificate where the settings name one that is to be made here: signed by itself, so that a browser asks once.
# Run before each start as the service's user. One that was configured is left alone.
#   certificate.sh       makes it if it is due
#   certificate.sh due   only says whether it is; of one that was configured, when it ends
set -euo pipefail
# shellcheck source=infra/box/files/aws.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/aws.sh"

folder="${STATE_DIRECTORY:-/var/lib/novadrive}/tls"
certificate="${NOVADRIVE_UI_TLS_CERT:-}"
days() { echo $(($1 * 86400)); }
is_valid_for() { openssl x509 -checkend "$(days "$1")" -noout -in "$certificate" >/dev/null 2>&1; }

if [ "$certificate" != "$folder/certificate.pem" ]; then
  [ "${1:-}" = due ] || exit 0
  [ -z "$certificate" ] || is_valid_for 14 ||
    echo "The certificate $certificate ends on $(openssl x509 -enddate -noout -in "$certificate" | cut -d= -f2): give another one by pulumi config set tlsCertificate, and pulumi up."
  exit 1
fi

address="$(metadata_of meta-data/public-ipv4 2>/dev/null)" || address=""
[[ "$address" =~ ^[0-9.]+$ ]] || address=""

# Its key may be missing after a loss of power; it may begin in a future that a clock was wrong about, or be for another address.
is_good() {
  local begins
  is_valid_for 30 || return
  [ "$(openssl x509 -pubkey -noout -in "$certificate")" = "$(openssl pkey -pubout -in "$folder/key.pem" 2>/dev/null)" ] || return
  begins="$(date -d "$(openssl x509 -startdate -noout -in "$certificate" | cut -d= -f2)" +%s)"
  [ "$begins" -le "$(date +%s)" ] || return
  [ -z "$address" ] || openssl x509 -checkip "$address" -noout -in "$certificate" | grep -q "does match"
}
if is_good; then
  [ "${1:-}" != due ] || exit 1
  exit 0
fi
[ "${1:-}" != due ] || exit 0

names="DNS:localhost,IP:127.0.0.1${address:+,IP:$address}"
umask 077
mkdir -p "$folder"
# 825 days is the longest that every browser takes.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj /CN=novadrive \
  -addext "subjectAltName=$names" -addext extendedKeyUsage=serverAuth \
  -keyout "$folder/key.new" -out "$folder/certificate.new" 2>/dev/null
sync "$folder/key.new" "$folder/certificate.new"
mv "$folder/key.new" "$folder/key.pem"
mv "$folder/certificate.new" "$certificate"
echo "made a certificate for $names"
