//! The API's page: every operation opens on a phone's screen, and a request made there is answered there.

use crate::access::breaches;
use crate::chromium::Chromium;
use crate::{BLUE, server};

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_can_be_read_and_tried_on_a_phone() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let docs = chromium.tab(&server.url(), "/docs#put_room", BLUE).await;
    docs.resize(360, 740).await;
    docs.until("document.querySelector('#put_room[open] textarea')?.value.includes('speaker')").await;
    docs.run("document.querySelector('#put_room form').requestSubmit()").await;
    docs.until("document.querySelector('#put_room [role=status]').textContent.startsWith('201')").await;
    assert!(docs.eval::<bool>("document.querySelector('#put_room pre').textContent.startsWith('curl -i -X PUT')").await);

    // A stream without end is not read on and on
    docs.run("document.getElementById('mix_ogg').open = true").await;
    docs.until("document.querySelector('#mix_ogg form')").await;
    docs.run("document.querySelector('#mix_ogg form').requestSubmit()").await;
    docs.until("document.querySelector('#mix_ogg [role=status]').textContent.includes('(not shown here)')").await;

    docs.run("document.querySelectorAll('.operation').forEach((one) => (one.open = true))").await;
    docs.until("document.querySelectorAll('.try').length === document.querySelectorAll('.operation').length").await;
    docs.run("document.querySelectorAll('.inside details').forEach((one) => (one.open = true))").await;
    docs.until("document.querySelectorAll('.inside details[open] li').length > 100").await;
    assert!(docs.eval::<bool>("document.querySelector('#put_file .try [type=file]').accept.includes('audio/wav')").await);
    assert!(docs.eval::<u32>("document.documentElement.scrollWidth").await <= 360);
    assert_eq!(breaches(&docs).await, [""; 0]);

    docs.run("const find = document.getElementById('find'); find.value = 'patch people'; find.oninput()").await;
    assert_eq!(docs.eval::<u32>("document.querySelectorAll('.operation:not([hidden])').length").await, 0, "no operation has both words");
    docs.run("const find = document.getElementById('find'); find.value = 'patch rename'; find.oninput()").await;
    assert_eq!(docs.eval::<String>("document.querySelector('.operation:not([hidden])').id").await, "patch_participant");
    chromium.close().await;
}
