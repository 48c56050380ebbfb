#!/usr/bin/env bash
# What clients of MJPEG (360p5), Ogg and HLS cost the server beside a call of four bots, and how old pictures are when they have been written.
# usage: benches/streams.sh [MJPEG [OGG [SECONDS [HLS]]]]      (after `make build`)
set -euo pipefail
pictures=${1:-200} sounds=${2:-50} seconds=${3:-10} viewers=${4:-200}
medley=${CARGO_TARGET_DIR:-target}/release/medley
at=127.0.0.1:18080
mix=http://$at/v1/rooms/bench/mix

"$medley" serve --dev --http $at --udp $at --compositor cpu --log warn &
server=$!
trap 'kill $server' EXIT
until curl -sf http://$at/readyz >/dev/null; do sleep 0.1; done
"$medley" bots --url http://$at --room bench --count 4 --seconds $((8 * (seconds + 3) + 8)) &
bots=$!
trap 'kill $bots $server' EXIT
sleep 5

cpu() { curl -s http://$at/metrics | awk '/^process_cpu_seconds_total/ {print $2}'; }
# One process reads for all: what stands behind # tells its transfers apart and is not sent
many() { curl -sZ --parallel-immediate --parallel-max 300 "${@/%/#[1-$clients]}" >/dev/null 2>&1; }
# Each waits for the next part and for the playlist that lists it, three times a second, on connections of their own
hls() {
    clients=$1
    while :; do
        list=$(curl -s "http://$at/hls/bench/index.m3u8")
        next=$(awk -F: '/^#EXT-X-MEDIA-SEQUENCE/ {m = $2} /^#EXT-X-PART:/ {p++} /^#EXTINF/ {m++; p = 0} END {print "_HLS_msn=" m "&_HLS_part=" p + 0}' <<<"$list")
        part=$(sed -n 's/^#EXT-X-PRELOAD-HINT.*URI="\([^"]*\)".*/\1/p' <<<"$list")
        case $part in /*) part=http://$at$part ;; *) part=http://$at/hls/bench/$part ;; esac
        many "http://$at/hls/bench/index.m3u8?$next" "$part" || sleep 0.1
    done
}
measure() { # measure WHAT [COMMAND…]
    reader=
    if [ $# -gt 1 ]; then
        "${@:2}" &
        reader=$!
    fi
    sleep 3
    before=$(cpu) begun=$(date +%s.%N)
    sleep "$seconds"
    after=$(cpu) ended=$(date +%s.%N)
    [ -z "$reader" ] || { pkill -P "$reader" || true; kill "$reader" 2>/dev/null || true; }
    awk "BEGIN {printf \"%s: %.1f %% of one core\\n\", \"$1\", 100 * ($after - $before) / ($ended - $begun)}"
}
measure "four bots"
clients=1
measure "and one client of MJPEG" many "$mix.mjpeg?height=360&fps=5"
clients=$pictures
measure "and $pictures clients of MJPEG" many "$mix.mjpeg?height=360&fps=5"
clients=1
measure "and one client of Ogg" many "$mix.ogg"
clients=$sounds
measure "and $sounds clients of Ogg" many "$mix.ogg"
measure "and one client of HLS" hls 1
measure "and $viewers clients of HLS" hls "$viewers"
curl -s http://$at/metrics | grep -E '^medley_(picture_stream_delay|jpeg_encode|dropped|late_ticks)' || true
wait $bots
trap "kill $server" EXIT
