//! A bad line in front of a server: datagrams of any number of clients, each way through the bots' impairment.
//!
//! A driver: it reads a real clock, and its sockets speak to loopback only.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use medley::bots::line::counts::Kind;
use medley::bots::line::{Loss, Passage, Schedule, Way};
use medley::media::Clock;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// Where the relay stands: the server says this address, and is at another one of this machine.
pub(crate) const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Loses this part of the datagrams each way, until the test ends. Seeded.
pub(crate) async fn lose(part: f64, server: SocketAddr) {
    let front = Arc::new(UdpSocket::bind((ADDRESS, server.port())).await.unwrap());
    let way = Way { loss: Loss::Random(part), ..Way::default() };
    tokio::spawn(async move {
        let (mut clients, mut buffer) = (HashMap::<SocketAddr, mpsc::Sender<Vec<u8>>>::new(), [0; 2048]);
        while let Ok((length, client)) = front.recv_from(&mut buffer).await {
            let seed = clients.len() as u64;
            let line = clients.entry(client).or_insert_with(|| line(front.clone(), client, server, way.clone(), seed));
            // A line that has no room for more loses it, as lines do.
            let _ = line.try_send(buffer[..length].to_vec());
        }
    });
}

/// One client's line: takes what the client sends.
fn line(front: Arc<UdpSocket>, client: SocketAddr, server: SocketAddr, way: Way, seed: u64) -> mpsc::Sender<Vec<u8>> {
    let (sender, mut sent) = mpsc::channel::<Vec<u8>>(256);
    tokio::spawn(async move {
        let back = UdpSocket::bind((ADDRESS, 0)).await.unwrap();
        let of = |seed| Passage::new(Schedule::constant(way.clone()), seed);
        let (mut up, mut down, clock, mut buffer) = (of(2 * seed), of(2 * seed + 1), Clock::new(), [0; 2048]);
        loop {
            tokio::select! {
                Some(datagram) = sent.recv() => {
                    let length = datagram.len();
                    up.put(datagram, length, Kind::Other, clock.now());
                }
                Ok((length, _)) = back.recv_from(&mut buffer) => down.put(buffer[..length].to_vec(), length, Kind::Other, clock.now()),
                else => return,
            }
            while let Some(datagram) = up.take(clock.now()) {
                let _ = back.send_to(&datagram, server).await;
            }
            while let Some(datagram) = down.take(clock.now()) {
                let _ = front.send_to(&datagram, client).await;
            }
        }
    });
    sender
}
