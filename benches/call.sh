#!/usr/bin/env bash
# A call's figures: the bots' report and the server's CPU time while they measure.
# usage: benches/call.sh BOTS SECONDS [COMPOSITOR [OPTIONS OF medley bots…]]      (after `make build`)
set -euo pipefail
bots=$1 seconds=$2 compositor=${3:-auto}
shift $(($# < 3 ? $# : 3))
medley=${CARGO_TARGET_DIR:-target}/release/medley
at=127.0.0.1:18080

"$medley" serve --dev --http $at --udp $at --compositor "$compositor" --log warn &
server=$!
trap 'kill $server' EXIT
until curl -sf http://$at/readyz >/dev/null; do sleep 0.1; done
cpu() { curl -s http://$at/metrics | awk '/^process_cpu_seconds_total/ {print $2}'; }

"$medley" bots --url http://$at --room bench --count "$bots" --seconds "$seconds" "$@" &
report=$!
sleep 3
before=$(cpu) begun=$(date +%s.%N)
sleep $((seconds - 2))
after=$(cpu) ended=$(date +%s.%N)
curl -s http://$at/metrics | grep -E '^medley_(late_ticks|dropped|packets_lost|encoders)' || true
wait $report
awk "BEGIN {printf \"server: %.1f %% of one core\\n\", 100 * ($after - $before) / ($ended - $begun)}"
