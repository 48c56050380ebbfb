//! What a recording of a call holds, and what is rendered of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use medley::bots::wall::Epoch;
use medley::bots::{Bot, BotSettings, Show, Speech};
use medley::compositor::Choice;
use serde_json::Value;

use crate::people::settings;
use crate::room::{Call, exchange, within};

/// How long it is recorded at least, and how much of that each must be seen and heard.
const LONG_MS: u64 = 5000;
const MOST_S: f64 = 4.0;

/// Runs the program itself; what it prints.
fn medley(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_medley")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whoever is there is seen and heard, whole and in step.
fn assert_in_step(film: &Path) {
    let report: Value = serde_json::from_str(&medley(&["bots", "--judge", film.to_str().unwrap(), "--json"])).unwrap();
    let people: BTreeMap<String, Value> = serde_json::from_value(report["people"].clone()).unwrap();
    assert_eq!(people.keys().map(String::as_str).collect::<Vec<_>>(), ["1", "2"], "{report:#}");
    assert_eq!(report["refused"], 0, "{report:#}");
    for person in people.values() {
        let lasts = |spans: &str, from: &str, to: &str| -> f64 {
            person[spans].as_array().unwrap().iter().map(|span| span[to].as_f64().unwrap() - span[from].as_f64().unwrap()).sum()
        };
        assert!(lasts("places", "from_s", "to_s") > MOST_S && lasts("heard", "start", "end") > MOST_S, "{report:#}");
        // A machine with all else to do may be late with either; a second would be a fault
        assert!(person["skew_ms"].as_f64().unwrap().abs() < 150.0, "{report:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_in_a_recording_in_step_and_in_what_is_rendered_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let call = Call::start_with(Choice::Cpu, Some(folder.path().into())).await;
    let epoch = Epoch::new();
    let join = |number| Bot::join(BotSettings { fps: 15, ..settings(&call, number, Some((Show::Drawn, Speech::Tone))) }, epoch);
    let [one, two] = [join(1).await.unwrap(), join(2).await.unwrap()];
    let sees_both = |bot: &Bot| bot.report().tiles.len() == 2;
    within(Duration::from_secs(10), "each sees both", || sees_both(&one) && sees_both(&two)).await;

    let address = call.server.url().replace("http://", "");
    let ask = async |method: &str, path: &str, body: &str| {
        let head = "Host: a\r\nConnection: close\r\nContent-Type: application/json";
        let request = format!("{method} /v1/{path} HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let (status, reply) = exchange(&address, request.as_bytes()).await;
        assert!(matches!(status, 200 | 201), "{reply}");
        serde_json::from_str::<Value>(reply.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let started = ask("POST", "rooms/call/recordings", r#"{"tracks": "both"}"#).await;
    let path = format!("recordings/{}", started["id"].as_str().unwrap());
    while ask("GET", &path, "").await["duration_ms"].as_u64().unwrap() < LONG_MS {}
    let stopped = ask("POST", &format!("{path}/stop"), "").await;
    assert_eq!((&stopped["state"], &stopped["lost"]), (&"complete".into(), &0.into()), "{stopped}");
    one.leave().await.unwrap();
    two.leave().await.unwrap();

    let recorded = folder.path().join(path);
    assert_in_step(&recorded.join("mixed.mp4"));
    let film = folder.path().join("film.mp4");
    medley(&["render", recorded.to_str().unwrap(), "--layout", "speaker", "--canvas", "1280x720", "--out", film.to_str().unwrap()]);
    assert_in_step(&film);
}
