//! What each client hears, whenever it comes in and however it reads.

use super::*;
use crate::broadcast::tests::{Studio, room};

fn packets(number: u8) -> Packets {
    [0, 1].map(|n| Bytes::copy_from_slice(&[0xf8, number, n]))
}

fn client(channel: &broadcast::Sender<Packets>, metrics: &Metrics) -> SoundStream {
    let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    SoundStream::new(channel.subscribe(), 7, metrics.clone(), place)
}

/// A page's granule position, number and packets.
fn read(page: &[u8]) -> (u64, u32, Vec<&[u8]>) {
    assert_eq!(&page[..5], b"OggS\0");
    let lengths = &page[27..27 + usize::from(page[26])];
    let mut rest = &page[27 + lengths.len()..];
    let packets = lengths.iter().map(|length| rest.split_off(..usize::from(*length)).unwrap()).collect();
    assert!(rest.is_empty(), "one page");
    (u64::from_le_bytes(page[6..14].try_into().unwrap()), u32::from_le_bytes(page[18..22].try_into().unwrap()), packets)
}

#[tokio::test]
async fn a_late_client_begins_at_its_own_zero_with_its_own_headers() {
    let (channel, metrics) = (broadcast::channel(WAITING).0, Metrics::default());
    let mut early = client(&channel, &metrics);
    early.next().await.unwrap();
    for number in 0..50 {
        channel.send(packets(number)).unwrap();
        early.next().await.unwrap();
    }
    let mut late = client(&channel, &metrics);
    let headers = late.next().await.unwrap();
    assert!(headers.windows(8).any(|eight| eight == b"OpusHead") && headers.windows(8).any(|eight| eight == b"OpusTags"));
    channel.send(packets(50)).unwrap();
    let (page, others) = (late.next().await.unwrap(), early.next().await.unwrap());
    assert_eq!(read(&page), (1920, 2, vec![&[0xf8, 50, 0][..], &[0xf8, 50, 1]]));
    assert_eq!(read(&others).0, 51 * 1920);
}

#[tokio::test]
async fn a_slow_client_misses_sound_and_goes_on_without_a_gap_in_its_time() {
    let (channel, metrics) = (broadcast::channel(WAITING).0, Metrics::default());
    let mut slow = client(&channel, &metrics);
    slow.next().await.unwrap();
    (0..100).for_each(|number| drop(channel.send(packets(number))));
    let pages = slow.next().await.unwrap();
    let length = pages.len() / WAITING;
    let heard: Vec<_> = pages.chunks(length).map(|page| (read(page).0, read(page).2[0][1])).collect();
    let wanted: Vec<_> = (0..WAITING as u64).map(|n| (1920 * (n + 1), 100 - WAITING as u8 + n as u8)).collect();
    assert_eq!(heard, wanted);
    let reason = crate::metrics::ByReason { reason: "ogg_client_behind" };
    assert_eq!(metrics.dropped.get_or_create(&reason).get(), 2 * (100 - WAITING as u64));
}

#[tokio::test]
async fn a_stream_ends_with_a_page_that_says_so() {
    let (channel, metrics) = (broadcast::channel(WAITING).0, Metrics::default());
    let mut client = client(&channel, &metrics);
    client.next().await.unwrap();
    channel.send(packets(1)).unwrap();
    drop(channel);
    client.next().await.unwrap();
    let last = client.next().await.unwrap();
    assert_eq!((last[5], read(&last)), (4, (1920, 3, vec![&[0xf8][..]])), "nothing of it is heard");
    assert!(client.next().await.is_none());
}

#[tokio::test]
async fn all_clients_of_a_room_share_one_place_in_it_which_is_given_up_with_the_last() {
    let studio = Studio::with(&["a"]).await;
    let mut clients: Vec<_> = (0..50).map(|_| studio.broadcast.sounds.open(&room("a")).unwrap()).collect();
    assert_eq!(studio.broadcast.sounds.heard(), [(room("a"), 50)].into());
    for client in &mut clients {
        client.next().await.unwrap();
        assert_eq!(client.next().await.unwrap()[..4], *b"OggS");
    }
    drop(clients);
    while !studio.broadcast.sounds.heard().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_room_and_all_end_with_the_server() {
    let studio = Studio::with(&["a", "b"]).await;
    let (mut a, mut b) = (studio.broadcast.sounds.open(&room("a")).unwrap(), studio.broadcast.sounds.open(&room("b")).unwrap());
    studio.delete("a").await;
    while a.next().await.is_some() {}
    assert!(b.next().await.is_some());
    studio.broadcast.end_all();
    while b.next().await.is_some() {}
    assert!(matches!(studio.broadcast.sounds.open(&room("a")), Err(StreamError::Room(_))), "no client makes a room");
}
