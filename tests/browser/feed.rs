//! What the page's own HLS player takes of playlists: from where, in which order, and what it says of gaps.

use crate::chromium::Chromium;
use crate::{BLUE, server};

/// Follows the playlists given, one after the other; gives what was played, and which playlists were asked for.
const FOLLOW: &str = "const folder = document.querySelector('script[type=module]').src.replace(/[^/]*$/, ''); \
    const { HlsFeed } = await import(folder + 'hls-feed.js'); \
    const [lists, asked, played] = [LISTS, [], []]; \
    globalThis.fetch = async (address) => { \
      if (!String(address).includes('.m3u8')) return new Response(new Uint8Array(4)); \
      asked.push(new URL(address).search); \
      return new Response(lists.shift()); \
    }; \
    const feed = new HlsFeed('/hls/room/index.m3u8', new AbortController().signal); \
    await feed.open(); \
    for await (const { url, map, jumps, starts } of feed.pieces()) { \
      played.push([url, map].map((one) => one.split('/').at(-1)).join(' of ') + (jumps ? ', jumps' : '') + (starts ? ', starts' : '')); \
    } \
    return [played, asked]";

/// A playlist with what it begins at and its lines.
fn playlist(sequence: u32, lines: &[&str]) -> String {
    let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n#EXT-X-PART-INF:PART-TARGET=0.5";
    format!("{head}\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n{}\n", lines.join("\n"))
}

/// Half a second's part; with a keyframe at its beginning, or without.
fn part(name: &str, independent: bool) -> String {
    format!("#EXT-X-PART:DURATION=0.5,URI=\"{name}\"{}", if independent { ",INDEPENDENT=YES" } else { "" })
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_come_in_order_once_each_and_a_stream_that_begins_anew_jumps() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let tab = chromium.tab(&server.url(), "/", BLUE).await;
    let [a0, a1, b0, b1, b2, c0] =
        [("a0", true), ("a1", false), ("b0", true), ("b1", false), ("b2", false), ("c0", true)].map(|(n, i)| part(n, i));
    let map = "#EXT-X-MAP:URI=\"one\"";
    let old = ["#EXTINF:2,", "old"];
    let a = [a0.as_str(), &a1, "#EXTINF:1,", "a"];
    let lists = [
        // The newest keyframe is too near the end: from the one before it
        playlist(7, &[&[map], &old[..], &a, &[&b0]].concat()),
        playlist(7, &[&[map], &old[..], &a, &[&b0, &b1]].concat()),
        // Other pictures from here on
        playlist(
            8,
            &[&[map], &a[..], &[&b0, &b1, &b2, "#EXTINF:1.5,", "b", "#EXT-X-DISCONTINUITY", "#EXT-X-MAP:URI=\"two\"", &c0]].concat(),
        ),
        // The packager was started again
        playlist(0, &[&["#EXT-X-MAP:URI=\"three\""], &old[..], &[&a0, "#EXT-X-ENDLIST"]].concat()),
    ];
    let follow = FOLLOW.replace("LISTS", &serde_json::to_string(&lists).unwrap());
    let (played, asked): (Vec<String>, Vec<String>) = tab.eval(format!("{{ {follow} }}")).await;
    let expected = ["a of one, jumps", "b0 of one", "b1 of one", "b2 of one", "c0 of two, starts", "old of three, jumps", "a0 of three"];
    assert_eq!(played, expected);
    assert_eq!(asked, ["", "?_HLS_msn=9&_HLS_part=1", "?_HLS_msn=9&_HLS_part=2", "?_HLS_msn=10&_HLS_part=1"]);
    chromium.close().await;
}
