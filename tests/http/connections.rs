//! How long a silent client is borne, and how the server ends.

use std::time::Duration;

use medley::http::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::start_with;

fn impatient() -> Limits {
    Limits { header: Duration::from_millis(50), body: Duration::from_millis(50), ..Limits::default() }
}

#[tokio::test]
async fn a_client_that_never_ends_its_header_is_cut() {
    let server = start_with(|state| state.limits = impatient()).await;
    for begun in ["", "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // Reading ends, with or without a reset, only because the server closes.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&rest));
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let server = start_with(|state| state.limits = impatient()).await;
    let reply = server.exchange(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_client_that_never_ends_its_body_is_told_and_cut() {
    let server = start_with(|state| state.limits = impatient()).await;
    let reply =
        server.exchange(b"POST /whep/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: 900\r\n\r\nv=0").await;
    assert_eq!(reply.status, 408);
    assert!(reply.json()["detail"].as_str().unwrap().contains("50 ms"));
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_for_a_free_place() {
    let server = start_with(|state| state.limits = Limits { connections: 1, ..impatient() }).await;
    let held = TcpStream::connect(server.addr).await.unwrap();
    // Answered once the silent connection before it has been cut.
    assert_eq!(server.get("/healthz").await.status, 200);
    drop(held);
}

#[tokio::test]
async fn shutdown_ends_the_server_even_while_a_client_holds_on() {
    let server = start_with(|state| state.limits.drain = Duration::from_millis(50)).await;
    let mut held = TcpStream::connect(server.addr).await.unwrap();
    held.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    server.stop.send(()).unwrap();
    server.serving.await.unwrap();
    assert!(TcpStream::connect(server.addr).await.is_err());
}
