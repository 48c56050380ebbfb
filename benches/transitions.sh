#!/usr/bin/env bash
# A call whose layout changes every second, and glides there: the bots' report and the server's CPU time while they measure.
# usage: benches/transitions.sh BOTS SECONDS [COMPOSITOR]      (after `make build`)
set -euo pipefail
bots=$1 seconds=$2 compositor=${3:-auto}
medley=${CARGO_TARGET_DIR:-target}/release/medley
at=127.0.0.1:18080

"$medley" serve --dev --http $at --udp $at --compositor "$compositor" --log warn &
server=$!
trap 'kill $server' EXIT
until curl -sf http://$at/readyz >/dev/null; do sleep 0.1; done
cpu() { curl -s http://$at/metrics | awk '/^process_cpu_seconds_total/ {print $2}'; }

"$medley" bots --url http://$at --room bench --count "$bots" --seconds "$seconds" --judges 1 &
report=$!
sleep 3
before=$(cpu) begun=$(date +%s.%N)
for n in $(seq $((seconds - 2))); do
    template=$([ $((n % 2)) = 0 ] && echo grid || echo speaker)
    curl -sf -X PUT -H 'Content-Type: application/json' --data "{\"template\": \"$template\", \"transition_ms\": 1000}" \
        http://$at/v1/rooms/bench/layout >/dev/null
    sleep 1
done
after=$(cpu) ended=$(date +%s.%N)
curl -s http://$at/metrics | grep -E '^medley_(late_ticks|dropped)' || true
wait $report
awk "BEGIN {printf \"server: %.1f %% of one core\\n\", 100 * ($after - $before) / ($ended - $begun)}"
