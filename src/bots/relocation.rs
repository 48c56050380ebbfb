//! How a bot that has changed networks tells the server of its new ICE credentials.
//!
//! In: the fragment for the server, the first answer. Out: an answer with the server's new credentials, once the server has
//! given them. The session goes on meanwhile.

use str0m::IceCreds;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use tokio::task::JoinHandle;

use super::http::{HttpError, Server};

/// Where a bot's session is at the server.
#[derive(Clone, Debug)]
pub(super) struct Signalling {
    pub(super) server: Server,
    pub(super) session: String,
    /// The server's first answer.
    pub(super) answer: String,
}

/// A restart that waits for the server's fragment.
pub(super) struct Restart {
    pending: Option<SdpPendingOffer>,
    asking: JoinHandle<Result<String, HttpError>>,
}

impl Restart {
    /// Asks the server.
    pub(super) fn begin(pending: SdpPendingOffer, credentials: &IceCreds, signalling: &Signalling) -> Self {
        let fragment = format!("a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", credentials.ufrag, credentials.pass);
        let Signalling { server, session, .. } = signalling.clone();
        Self { pending: Some(pending), asking: tokio::spawn(async move { server.restart(&session, fragment).await }) }
    }

    /// The offer that the server's answer belongs to.
    pub(super) fn take_pending(mut self) -> SdpPendingOffer {
        self.pending.take().expect("it is taken once, with the restart")
    }

    /// The server's fragment. Cancel-safe.
    pub(super) async fn answered(&mut self) -> Result<String, String> {
        let answered = (&mut self.asking).await.map_err(|error| error.to_string())?;
        answered.map_err(|error| error.to_string())
    }
}

impl Drop for Restart {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

/// The first answer with a fragment's credentials in place of its own.
pub(super) fn renewed(answer: &str, fragment: &str) -> Result<SdpAnswer, String> {
    let credential = |name| fragment.lines().find(|line| line.starts_with(name));
    let (Some(ufrag), Some(pwd)) = (credential("a=ice-ufrag:"), credential("a=ice-pwd:")) else {
        return Err("the server's fragment lacks a=ice-ufrag or a=ice-pwd".into());
    };
    let renewed = |line: &str| match line {
        _ if line.starts_with("a=ice-ufrag:") => format!("{ufrag}\r\n"),
        _ if line.starts_with("a=ice-pwd:") => format!("{pwd}\r\n"),
        _ => format!("{line}\r\n"),
    };
    SdpAnswer::from_sdp_string(&answer.lines().map(renewed).collect::<String>()).map_err(|error| error.to_string())
}
