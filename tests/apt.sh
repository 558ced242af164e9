#!/bin/sh
# Installs what the tests use from Debian (tests/apt.txt) where root and apt-get are there and something is missing;
# elsewhere it says which commands are missing, and the tests that need them skip with that reason.
set -eu
missing=
for package in $(cat "$(dirname "$0")/apt.txt"); do
  case $package in iproute2) command=ip ;; nftables) command=nft ;; procps) command=sysctl ;; systemd) command=/usr/lib/systemd/systemd-sysctl ;; *) command=$package ;; esac
  PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing for the tests:$missing"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 (a list of package names)
  apt-get -qq update >/dev/null && apt-get -qq install -y --no-install-recommends $missing >/dev/null
else
  echo "missing:$missing; the tests that need them skip (as root, with apt-get, they would be installed)"
fi
