#!/usr/bin/env bash
# A tour of the admin's API by curl alone. Six bots in the room say after each step what they see and hear.
# usage: tests/tour/tour.sh target/release/medley
set -euo pipefail
medley=$1
folder=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT

"$medley" serve --dev --http 127.0.0.1:0 --udp 127.0.0.1:0 --compositor cpu --data-dir "$folder/data" --log-format json >"$folder/log" 2>&1 &
pids+=($!)
at=
until [ -n "$at" ]; do
    sleep 0.1
    at=$(jq -r 'select(.message == "serving").http' "$folder/log")
done
base=http://$at
room=$base/v1/rooms/tour

# call METHOD URL [BODY]: the answer's body; ends the tour where the answer is no success.
call() {
    local answer
    answer=$(curl -s -w '\n%{http_code}' -X "$1" -H 'Content-Type: application/json' ${3+--data-binary "$3"} "$2")
    [[ ${answer##*$'\n'} == 2* ]] || { echo "$1 $2 was answered $answer" >&2; exit 1; }
    echo "${answer%$'\n'*}"
}

bots() { # bots FILE OPTIONS…: bots that tell twice a second
    "$medley" bots --url "$base" --room tour --every 0.5 "${@:2}" >"$1" 2>"$1.err" &
    pids+=($!)
}

# sees WHAT FILTER [FILE]: waits until bot 1 (or the first of FILE) reports so. $id, $cells and others come as --argjson, made anew for
# each look by the function that $ask names: who spoke last may change who is where.
sees() {
    local report
    for _ in $(seq 60); do
        [ -z "$ask" ] || "$ask"
        report=$(tail -n 1 "${3:-$folder/bots}")
        if jq -e "${args[@]}" ".bots[0] | $2" <<<"${report:-null}" >/dev/null 2>&1; then
            printf 'ok  %s\n' "$1"
            return
        fi
        sleep 0.25
    done
    printf 'NOT SEEN  %s\n%s\n' "$1" "$(jq -c '.bots[0] | {tiles: (.tiles | map_values([.x, .y, .width, .height, .present])), tones}' <<<"$report")" >&2
    call GET "$room/layout" | jq -c .cells >&2
    exit 1
}
args=() ask=
present='[.tiles | to_entries[] | select(.value.present) | .key | tonumber] | sort'

# cells [VIEW]: bot number → rectangle, from the layout as applied.
cells() {
    call GET "$room/layout?view=${1:-main}" | jq -c --argjson people "$(call GET "$room/participants" | jq '.participants // .')" \
        '($people | map({(.id): (.name | ltrimstr("Bot "))}) | add) as $bot
         | [.cells[] | select(.participant) | {($bot[.participant]): {x, y, width, height}}] | add // {}'
}
# Each picture stands in its cell's middle, or fills the cell where it is cropped; and nobody else is seen.
in_place='def fits($at; $length; $from; $width):
        (($at + $width / 2) - ($from + $length / 2) | fabs) <= 8 or ($from <= $at + 8 and $from + $length >= $at + $width - 8);
    (.tiles | with_entries(select(.value.present))) as $seen
    | ($seen | keys) == ($cells | keys)
    and all($cells | to_entries[]; .value as $c | $seen[.key] as $t
        | fits($c.x; $t.width; $t.x; $c.width) and fits($c.y; $t.height; $t.y; $c.height))'
ask_cells() { args=(--argjson cells "$(cells)"); }
in_cells() { # in_cells WHAT
    ask=ask_cells
    sees "$1" "$in_place"
    args=() ask=
}
person() { call GET "$room/participants" | jq -r --arg name "Bot $1" '(.participants // .)[] | select(.name == $name).id'; }

call PUT "$room" '{"canvas": {"width": 1280, "height": 720}, "max_participants": 20}' >/dev/null
curl -sN "$room/events" >"$folder/events" &
pids+=($!)
bots "$folder/bots" --count 6 --judges 1
sees 'six are in the room' "$present == [1, 2, 3, 4, 5, 6]"
in_cells 'the grid is where the API says'

for template in $(call GET "$base/v1/layouts" | jq -r '(.layouts // .)[].name'); do
    call PUT "$room/layout" "{\"template\": \"$template\", \"fit\": \"contain\"}" >/dev/null
    in_cells "template $template"
done

three=$(person 3) four=$(person 4)
call PUT "$room/layout" "{\"regions\": [
    {\"id\": \"left\", \"left\": 0, \"top\": \"1/4\", \"width\": \"1/2\", \"height\": \"1/2\", \"shows\": \"participant:$four\"},
    {\"id\": \"right\", \"left\": \"1/2\", \"top\": 0.25, \"width\": \"1/2\", \"height\": \"1/2\", \"shows\": \"role:host\"}]}" >/dev/null
sees 'regions: only the fourth, at the left; a reserved region stays empty' "($present == [4]) and (.tiles[\"4\"].x < 8)"
call PATCH "$room/participants/$three" '{"role": "host"}' >/dev/null
sees 'role: the third fills the region of the host' "($present == [3, 4]) and (.tiles[\"3\"].x - 640 | fabs < 8)"

call PUT "$room/layout" '{"template": "speaker"}' >/dev/null
call PATCH "$room/participants/$(person 5)" '{"pinned": true}' >/dev/null
sees 'pin: the fifth is the large one' '.tiles["5"].present and .tiles["5"].width > 700'
in_cells 'all are where the API says'
call PATCH "$room/participants/$(person 5)" '{"pinned": false}' >/dev/null
call PUT "$room/layout" '{"template": "grid"}' >/dev/null
sees 'the grid again' "$present == [1, 2, 3, 4, 5, 6]"

sees 'the second is heard' '.tones["2"].level_db > -26'
call PATCH "$room/participants/$(person 2)" '{"muted": true}' >/dev/null
sees 'mute: the second is not heard, the third is' '(.tones["2"].level_db // -99) < -50 and .tones["3"].level_db > -26'
call PATCH "$room/participants/$(person 2)" '{"muted": false, "gain_db": -12}' >/dev/null
sees 'gain: the second is heard 12 dB lower' '.tones["2"].level_db + 12 + 20 | fabs < 4'
call PATCH "$room/participants/$(person 2)" '{"gain_db": 0, "hidden": true}' >/dev/null
sees 'hide: the second is not seen' "$present == [1, 3, 4, 5, 6]"
in_cells 'the others moved up'
call PATCH "$room/participants/$(person 2)" '{"hidden": null}' >/dev/null
sees 'the second is seen again' "$present == [1, 2, 3, 4, 5, 6]"

# A red square, 2x2.
base64 -d >"$folder/red.png" <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==
curl -sf -X PUT -H 'Content-Type: image/png' --data-binary @"$folder/red.png" "$base/v1/images/red" >/dev/null
call PATCH "$room" '{"overlays": {"logo": {"image": "red", "position": "bottom-right", "width": "1/3"}}}' >/dev/null
sees 'overlay: a logo covers the lower right corner, and whoever stands there' "($present | length) < 6 and (.tiles[\"1\"].present)"
call PATCH "$room" '{"overlays": {"logo": null, "lower_third": {"title": "On air", "subtitle": "The tour"}}}' >/dev/null
sees 'without the logo everybody is seen' '.tiles["1"].present and .tiles["3"].present'
call PATCH "$room" '{"overlays": null}' >/dev/null

call PATCH "$room" '{"views": {"portrait": {"canvas": {"width": 720, "height": 1280}, "layout": {"template": "stacked"}}}}' >/dev/null
bots "$folder/portrait" --count 1 --first-number 20 --view-only --view portrait
sees 'view: a viewer gets the upright picture with all six' "(.pictures.width == 720) and (.pictures.height == 1280) and (($present | length) >= 5)" "$folder/portrait"
bots "$folder/weak" --count 1 --first-number 21 --view-only --max-height 360
sees 'rendition: a weak device gets 360 lines' '.pictures.height == 360' "$folder/weak"
call PUT "$room/layout" '{"template": "grid", "self_view": "hidden"}' >/dev/null
sees 'self view: the first does not see itself' "$present == [2, 3, 4, 5, 6]"
call PUT "$room/layout" '{"template": "grid"}' >/dev/null
sees 'the grid again' "$present == [1, 2, 3, 4, 5, 6]"

call DELETE "$room/participants/$(person 6)" >/dev/null
sees 'remove: the sixth is neither seen nor heard' "($present == [1, 2, 3, 4, 5]) and (.tones[\"6\"].level_db // -99) < -50"
call DELETE "$room" >/dev/null
sees 'delete: the session is over' '.ended != null'

for event in joined layout muted changed speaker settings left closed; do
    grep -q "^event: $event" "$folder/events" && echo "ok  event $event" || { echo "NO EVENT $event" >&2; exit 1; }
done
