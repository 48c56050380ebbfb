//! Requests made from the document, right and wrong ones, against a server; each answer held against the document.
//!
//! In: `/openapi.json` and a seed. Out: nothing, where no answer contradicts the document and none is a 5xx that it does not tell of.

mod judge;
mod requests;
mod values;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::server::{Reply, Server, offer, start};
use crate::{JSON, SDP};
use judge::Judge;
use requests::Requests;

/// Requests in all, and from which seed.
const REQUESTS: usize = 2500;
const SEED: u64 = 0x6d65_646c_6579;

/// What the requests can be about; the answers to those that name something new.
async fn furnish(server: &Server) -> [Reply; 2] {
    let logo = crate::images::file(8, 8, image::ImageFormat::Png);
    server.ask("PUT", "/v1/images/a", "Content-Type: image/png\r\n", &logo).await;
    server.ask("PUT", "/v1/rooms/a", JSON, b"{}").await;
    server.ask("PUT", "/v1/files/a", "", &crate::players::wav(3000)).await;
    let player = server.ask("POST", "/v1/rooms/a/players", JSON, br#"{"file":"a"}"#).await;
    server.ask("POST", "/v1/rooms/a/join", SDP, offer("sendrecv").as_bytes()).await;
    let recording = server.ask("POST", "/v1/rooms/a/recordings", "", b"").await;
    [player, recording]
}

#[tokio::test]
async fn no_answer_contradicts_the_document() {
    let server = start().await;
    let document = server.get("/openapi.json").await.json();
    let mut requests = Requests::new(&document, StdRng::seed_from_u64(SEED));
    let mut judge = Judge::new(&document);
    for n in 0..REQUESTS {
        if n % 50 == 0 {
            furnish(&server).await.iter().for_each(|reply| requests.learn(reply));
        }
        let request = requests.next();
        let reply = server.ask(&request.method, &request.url, &request.headers, &request.body).await;
        judge.hear(&request, &reply);
        requests.learn(&reply);
    }
    judge.end();
    assert_eq!(server.get("/healthz").await.status, 200);
}
