#!/usr/bin/env bash
# Memory, file descriptors and threads over a hundred joins and leaves beside two who stay.
# usage: benches/comings.sh      (after `make build`)
set -euo pipefail
medley=${CARGO_TARGET_DIR:-target}/release/medley
at=127.0.0.1:18080

"$medley" serve --dev --http $at --udp $at --log warn &
server=$!
trap 'kill $server' EXIT
until curl -sf http://$at/readyz >/dev/null; do sleep 0.1; done
usage() {
    curl -s http://$at/metrics | awk -v n="$1" '/^process_resident/ {m = $2 / 1e6} /^process_open/ {f = $2} /^process_threads/ {t = $2}
        END {printf "%3d joins: %.0f MB, %d file descriptors, %d threads\n", n, m, f, t}'
}

"$medley" bots --url http://$at --room bench --count 2 --judges 0 >/dev/null &
stay=$!
trap 'kill $stay $server' EXIT
sleep 3
for join in $(seq 0 100); do
    ((join % 10)) || usage "$join"
    timeout -s INT 2 "$medley" bots --url http://$at --room bench --first-number 9 --count 1 --judges 0 >/dev/null || true
done
