#!/usr/bin/env bash
# Requests to AWS in the name of the box's role, by curl alone: Ubuntu 24.04 has no awscli among its packages, and a snap or an
# installer would be one more thing to fetch, to trust and to keep up to date. To be sourced.

metadata="${NOVADRIVE_METADATA:-http://169.254.169.254}"

# Instance metadata, with a token as IMDSv2 wants it: metadata_of meta-data/instance-id
metadata_of() {
  local token
  token="$(curl -fsS --max-time 5 --retry 3 -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" "$metadata/latest/api/token")" &&
    curl -fsS --max-time 5 --retry 3 -H "X-aws-ec2-metadata-token: $token" "$metadata/latest/$1"
}

# aws_url s3
aws_url() {
  if [ -n "${NOVADRIVE_AWS_URL:-}" ]; then
    echo "$NOVADRIVE_AWS_URL/$1"
  else
    echo "https://$1.$AWS_REGION.$(metadata_of services/domain)"
  fi
}

# A signed request; what follows the name of the service is for curl. The keys go through a pipe, since every user of the box can
# read the arguments of a process.
aws_request() {
  local service="$1" role keys id secret token
  shift
  role="$(metadata_of meta-data/iam/security-credentials/)" || return
  keys="$(metadata_of "meta-data/iam/security-credentials/$role")" || return
  id="$(json_text AccessKeyId <<<"$keys")"
  secret="$(json_text SecretAccessKey <<<"$keys")"
  token="$(json_text Token <<<"$keys")"
  printf 'user = "%s:%s"\nheader = "x-amz-security-token: %s"\n' "$id" "$secret" "$token" |
    curl --config - -sS --fail-with-body --connect-timeout 10 --aws-sigv4 "aws:amz:$AWS_REGION:$service" "$@"
}

# One text of a flat JSON object whose texts need no escapes, as the metadata service gives it.
json_text() {
  tr -d '\n' | sed -n 's/.*"'"$1"'" *: *"\([^"]*\)".*/\1/p'
}
