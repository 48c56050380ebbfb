#!/usr/bin/env bash
# What clients of MJPEG (360p5) and Ogg cost the server beside a call of four bots, and how old pictures are when they have been written.
# usage: benches/streams.sh [MJPEG [OGG [SECONDS]]]      (after `make build`)
set -euo pipefail
pictures=${1:-200} sounds=${2:-50} seconds=${3:-10}
medley=${CARGO_TARGET_DIR:-target}/release/medley
at=127.0.0.1:18080
mix=http://$at/v1/rooms/bench/mix

"$medley" serve --dev --http $at --udp $at --compositor cpu --log warn &
server=$!
trap 'kill $server' EXIT
until curl -sf http://$at/readyz >/dev/null; do sleep 0.1; done
"$medley" bots --url http://$at --room bench --count 4 --seconds $((5 * (seconds + 3) + 5)) &
bots=$!
trap 'kill $bots $server' EXIT
sleep 5

cpu() { curl -s http://$at/metrics | awk '/^process_cpu_seconds_total/ {print $2}'; }
measure() { # measure WHAT [URL CLIENTS]
    clients=
    if [ $# -gt 1 ]; then
        # One process reads for all: what stands behind # tells its transfers apart and is not sent
        curl -sZ --parallel-immediate --parallel-max 300 -o /dev/null "$2#[1-$3]" 2>/dev/null &
        clients=$!
    fi
    sleep 3
    before=$(cpu) begun=$(date +%s.%N)
    sleep "$seconds"
    after=$(cpu) ended=$(date +%s.%N)
    [ -z "$clients" ] || kill "$clients"
    awk "BEGIN {printf \"%s: %.1f %% of one core\\n\", \"$1\", 100 * ($after - $before) / ($ended - $begun)}"
}
measure "four bots"
measure "and one client of MJPEG" "$mix.mjpeg?height=360&fps=5" 1
measure "and $pictures clients of MJPEG" "$mix.mjpeg?height=360&fps=5" "$pictures"
measure "and one client of Ogg" "$mix.ogg" 1
measure "and $sounds clients of Ogg" "$mix.ogg" "$sounds"
curl -s http://$at/metrics | grep -E '^medley_(picture_stream_delay|jpeg_encode|dropped|late_ticks)' || true
wait $bots
trap "kill $server" EXIT
