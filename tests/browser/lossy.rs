//! A real browser on a line that loses a twentieth each way: what its own statistics say of how that is mended.

use medley::config::Config;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::relay;
use crate::{BLUE, RED, server_with};

#[tokio::test(flavor = "multi_thread")]
async fn at_5_percent_loss_nack_rtx_twcc_and_red_are_at_work_both_ways() {
    let (server, chromium) =
        tokio::join!(server_with(Config { dev: true, advertise: vec![relay::ADDRESS], ..Config::default() }), Chromium::launch());
    relay::lose(0.05, server.udp()).await;
    let red = chromium.tab(&server.url(), "/r/lossy", RED).await;
    red.join().await;
    let blue = chromium.tab(&server.url(), "/r/lossy", BLUE).await;
    blue.join().await;
    tokio::join!(red.sees(BLUE), blue.sees(RED));
    for tab in [&red, &blue] {
        // Asked of the browser and sent again by it; asked by the browser and mended; probed up from where its estimate begins.
        tab.until(
            "((line) => line.sent.nackCount > 5 && line.sent.retransmittedPacketsSent > 5 && line.received.nackCount > 5 && \
             line.received.retransmittedPacketsReceived > 5 && line.path.availableOutgoingBitrate > 400_000)(await judge.line())",
        )
        .await;
        let line: Value = tab.eval("judge.line()").await;
        assert_eq!(line["sent"]["rtx"], json!(true), "{line}");
        // The browser's figures name the codec within, and show two blocks in each packet
        assert!(line["sound"].as_f64() > Some(1.5), "each packet of sound repeats the one before it: {line}");
        assert!(line["twcc"].as_u64() >= Some(2), "both media number their packets: {line}");
        println!("{line}");
    }
    chromium.close().await;
}
