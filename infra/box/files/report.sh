#!/usr/bin/env bash
# Tells CloudWatch every minute that the page answers, how batches ended, and what the journal says of the service.
# Ubuntu's packages have no agent that does this, and AWS's own is an installer from outside; this needs curl and the release's Node.
set -euo pipefail
here="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
# shellcheck source=infra/box/files/lib.sh
source "$here/lib.sh"
# shellcheck source=infra/box/files/aws.sh
source "$here/aws.sh"

: "${AWS_REGION:?}" "${NOVADRIVE_LOG_GROUP:?}" "${NOVADRIVE_METRIC_NAMESPACE:?}"
cursor="${STATE_DIRECTORY:?}/cursor"
# Metrics that have not arrived, a line each.
waiting="$STATE_DIRECTORY/metrics"
# More than of one report would make the next one take too long. Older ones alarm nobody in time.
most_waiting=50 oldest="$(date -u -d "24 hours ago" +%FT%T)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# metric <name> <value> [<time>]
metric() {
  local answer code=0
  answer="$(aws_request monitoring "$(aws_url monitoring)/" --max-time 20 \
    --data-urlencode Action=PutMetricData --data-urlencode Version=2010-08-01 \
    --data-urlencode "Namespace=$NOVADRIVE_METRIC_NAMESPACE" \
    --data-urlencode "MetricData.member.1.MetricName=$1" --data-urlencode "MetricData.member.1.Value=$2" \
    ${3:+--data-urlencode "MetricData.member.1.Timestamp=$3"})" || code=$?
  [ "$code" -eq 0 ] || printf 'novadrive: CloudWatch took no metric %s: %s\n' "$1" "$answer" >&2
  return "$code"
}

# keep <file> <place>: at no moment is there half of it, nor after a loss of power.
keep() {
  cp "$1" "$2.new" && sync "$2.new" && mv "$2.new" "$2"
}

# logs <action> <file with its body>
logs() {
  aws_request logs "$(aws_url logs)/" --max-time 30 -H "content-type: application/x-amz-json-1.1" \
    -H "x-amz-target: Logs_20140328.$1" --data-binary "@$2"
}

status=0
is_healthy "$(release_of current)" && { metric Heartbeat 1 || status=1; }

# The place up to which the journal was read counts only when all of it has arrived: rather a line twice than none.
after=()
[ ! -s "$cursor" ] || after=("--after-cursor=$(cat "$cursor")")
stream="$(metadata_of meta-data/instance-id)"
# 141: the reader has enough for this time.
{ journalctl --unit=novadrive.service --unit=novadrive-prepare.service --unit=novadrive-renew.service --output=json --no-pager \
  --quiet "${after[@]}" || [ $? -eq 141 ]; } |
  "$here/../bin/node" "$here/journal-events.ts" "$NOVADRIVE_LOG_GROUP" "$stream" "$work"

if [ ! -e "$STATE_DIRECTORY/stream-$stream" ]; then
  printf '{"logGroupName":"%s","logStreamName":"%s"}' "$NOVADRIVE_LOG_GROUP" "$stream" >"$work/stream"
  answer="$(logs CreateLogStream "$work/stream")" || [[ "$answer" == *ResourceAlreadyExistsException* ]] ||
    fail "CloudWatch made no log stream: $answer"
  touch "$STATE_DIRECTORY/stream-$stream"
fi
for body in "$work"/events-*.json; do
  [ -e "$body" ] || continue
  if ! answer="$(logs PutLogEvents "$body")"; then
    # Somebody deleted the stream, or the group; the next minute makes it anew.
    [[ "$answer" != *ResourceNotFoundException* ]] || rm -f "$STATE_DIRECTORY/stream-$stream"
    fail "CloudWatch took no log lines: $answer"
  fi
done
# The lines have arrived, and are not sent again for the sake of a metric: that has a place of its own to wait in. First the metrics,
# then the cursor: rather a metric twice than none.
touch "$waiting"
cat "$waiting" "$work/metrics" | awk -v oldest="$oldest" '$3 > oldest' | tail -n "$most_waiting" >"$work/waiting"
keep "$work/waiting" "$waiting"
[ ! -e "$work/cursor" ] || keep "$work/cursor" "$cursor"

: >"$work/unsent"
reached=yes
while read -r name value time; do
  if [ "$reached" = yes ]; then
    code=0
    metric "$name" "$value" "$time" || code=$?
    [ "$code" -ne 0 ] || continue
    status=1
    # 22: refused, which says nothing of the next one. Otherwise CloudWatch is out of reach, for the next one too.
    [ "$code" -eq 22 ] || reached=no
  fi
  echo "$name $value $time" >>"$work/unsent"
done <"$work/waiting"
cmp -s "$work/unsent" "$waiting" || keep "$work/unsent" "$waiting"
exit "$status"
