//! What one client says: how much of it is heard, and what is wrong with the rest.
//!
//! In: messages as they come, and time. Out: what the client asks for, or a sentence that says what to send instead. Never: a
//! message that is read although there were too many, or a client's own text in what is told of its faults but for a few words.

use std::time::Duration;

use super::message::FromClient;
use crate::media::{MediaTime, unfit_to_show};

/// Messages at once.
const AT_ONCE: u32 = 10;
/// A message more may come after this.
const ONE_MORE: Duration = Duration::from_millis(500);
/// Messages beyond what is heard, in all: who sends more than these means harm, or is broken.
const PATIENCE: u32 = 1000;
const LONGEST_MESSAGE: usize = 16 * 1024;
const LONGEST_TEXT: usize = 2000;
const EXAMPLE: &str = r#"send text such as {"type": "chat", "text": "Hello"}"#;

/// A message as it came.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    /// Sent as text.
    Text(&'a [u8]),
    /// Sent as bytes.
    Binary,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Understood {
    /// It is to be done.
    Wish(FromClient),
    /// It cannot be; this is said in answer.
    Fault(String),
    /// There were too many, and that was said.
    Dropped,
    /// There were far too many.
    Enough,
}

/// One client's allowance.
#[derive(Debug)]
pub(super) struct Ear {
    /// When the allowance will be whole again.
    whole_at: MediaTime,
    dropped: u32,
    /// Whether it was said that there are too many.
    warned: bool,
}

impl Default for Ear {
    fn default() -> Self {
        Self { whole_at: MediaTime::ZERO, dropped: 0, warned: false }
    }
}

impl Ear {
    pub(super) fn hear(&mut self, now: MediaTime, heard: Heard<'_>) -> Understood {
        if !self.allows(now) {
            return self.drop_one();
        }
        self.warned = false;
        match read(heard) {
            Ok(wish) => Understood::Wish(wish),
            Err(fault) => Understood::Fault(fault),
        }
    }

    fn allows(&mut self, now: MediaTime) -> bool {
        let whole_at = self.whole_at.max(now) + ONE_MORE;
        let allowed = whole_at.since(now) <= ONE_MORE * AT_ONCE;
        if allowed {
            self.whole_at = whole_at;
        }
        allowed
    }

    fn drop_one(&mut self) -> Understood {
        self.dropped += 1;
        if self.dropped > PATIENCE {
            return Understood::Enough;
        }
        if std::mem::replace(&mut self.warned, true) {
            return Understood::Dropped;
        }
        Understood::Fault(format!("too many messages: {AT_ONCE} may come at once and two a second; wait a second and send it again"))
    }
}

fn read(heard: Heard<'_>) -> Result<FromClient, String> {
    let Heard::Text(bytes) = heard else { return Err(format!("the message is binary; {EXAMPLE}")) };
    if bytes.len() > LONGEST_MESSAGE {
        return Err(format!("the message has {} bytes; at most {LONGEST_MESSAGE} are read", bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| format!("the message is no UTF-8; {EXAMPLE}"))?;
    let wish = serde_json::from_str(text).map_err(|error| format!("{}; {EXAMPLE}", short(&error.to_string())))?;
    let FromClient::Chat { text } = wish;
    said(text).map(|text| FromClient::Chat { text })
}

/// Text as it is passed on: trimmed, and with nothing in it that shows as something else.
fn said(text: String) -> Result<String, String> {
    let trimmed = text.trim();
    let characters = trimmed.chars().count();
    if !(1..=LONGEST_TEXT).contains(&characters) {
        return Err(format!("text: it has {characters} characters; send 1 to {LONGEST_TEXT}"));
    }
    if trimmed.chars().any(|c| unfit_to_show(c) && c != '\n') {
        return Err(
            "text: it has control characters other than line feeds, or marks that turn the direction of writing; leave them out".into()
        );
    }
    Ok(trimmed.to_owned())
}

/// Some words of it: the fault may quote the client.
fn short(fault: &str) -> String {
    fault.chars().filter(|c| !unfit_to_show(*c)).take(200).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hear(text: &str) -> Understood {
        Ear::default().hear(MediaTime::ZERO, Heard::Text(text.as_bytes()))
    }

    fn chat(text: &str) -> Understood {
        Understood::Wish(FromClient::Chat { text: text.into() })
    }

    #[test]
    fn what_is_said_is_taken_as_it_is_but_for_the_blanks_round_it() {
        assert_eq!(hear(r#"{"type": "chat", "text": " <b>Hello</b>\nthere "}"#), chat("<b>Hello</b>\nthere"));
        let longest = "ä".repeat(LONGEST_TEXT);
        assert_eq!(hear(&format!(r#"{{"text": "{longest}", "type": "chat"}}"#)), chat(&longest));
    }

    #[test]
    fn every_fault_says_what_to_send_instead() {
        let long = format!(r#"{{"type": "chat", "text": "{}"}}"#, "x".repeat(LONGEST_TEXT + 1));
        for (sent, words) in [
            ("", "send text such as"),
            ("[]", "send text such as"),
            (r#"{"text": "x"}"#, "missing field `type`"),
            (r#"{"type": "dance"}"#, "expected `chat`"),
            (r#"{"type": "chat"}"#, "missing field `text`"),
            (r#"{"type": "chat", "text": "x", "to": "p1"}"#, "unknown field `to`"),
            (r#"{"type": "chat", "text": "  "}"#, "send 1 to 2000"),
            (r#"{"type": "chat", "text": "\u0000"}"#, "control characters"),
            (r#"{"type": "chat", "text": "a\u202eb"}"#, "direction of writing"),
            (&long, "send 1 to 2000"),
        ] {
            let Understood::Fault(fault) = hear(sent) else { panic!("{sent:.40}") };
            assert!(fault.contains(words) && fault.len() < 400, "{sent:.40}: {fault}");
        }
        let mut ear = Ear::default();
        assert!(matches!(ear.hear(MediaTime::ZERO, Heard::Binary), Understood::Fault(fault) if fault.contains("is binary")));
        assert!(matches!(ear.hear(MediaTime::ZERO, Heard::Text(&[0xff])), Understood::Fault(fault) if fault.contains("no UTF-8")));
        let huge = vec![b' '; LONGEST_MESSAGE + 1];
        assert!(matches!(ear.hear(MediaTime::ZERO, Heard::Text(&huge)), Understood::Fault(fault) if fault.contains("at most 16384")));
    }

    #[test]
    fn ten_messages_may_come_at_once_then_two_a_second_and_a_flood_is_told_of_once() {
        let (mut ear, said) = (Ear::default(), br#"{"type": "chat", "text": "x"}"#);
        let mut all = |ms: u64, count: usize| -> Vec<Understood> {
            (0..count).map(|_| ear.hear(MediaTime::from_millis(ms), Heard::Text(said))).collect()
        };
        let first = all(1000, 12);
        assert!(first[..10].iter().all(|one| *one == chat("x")));
        assert!(matches!(&first[10], Understood::Fault(fault) if fault.contains("too many")) && first[11] == Understood::Dropped);
        assert!(matches!(&all(1999, 3)[..], [Understood::Wish(_), Understood::Fault(_), Understood::Dropped]), "one more has come free");
        assert_eq!(all(60_000, 10).iter().filter(|one| **one == chat("x")).count(), 10);
        assert_eq!(all(60_000, 2000).last(), Some(&Understood::Enough));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_heard_or_answered(bytes in prop::collection::vec(any::<u8>(), 0..200), json in "[{}\\[\\]\":,a-z0-9\\\\]{0,80}") {
            let mut ear = Ear::default();
            for heard in [Heard::Text(&bytes), Heard::Text(json.as_bytes())] {
                let understood = ear.hear(MediaTime::ZERO, heard);
                prop_assert!(matches!(understood, Understood::Wish(_) | Understood::Fault(_)));
            }
        }
    }
}
