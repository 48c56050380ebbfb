//! The STUN and TURN servers that clients are told of, as `Link` headers (RFC 9725 §4.6).
//!
//! In: the configuration's list. Out: header values, made once. Never: checked again per request.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};

/// One server as the configuration writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceServer {
    /// `stun:`, `stuns:`, `turn:` or `turns:` URL (RFC 7064, RFC 7065).
    pub url: String,
    /// TURN user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// TURN password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// The servers as response headers. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct IceServers(Arc<[HeaderValue]>);

/// An entry that cannot be told to a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IceServerError {
    /// Not one of the four schemes, or characters that a link cannot hold.
    #[error("{0:?} is no ICE server: write stun:HOST:PORT or turn:HOST:PORT?transport=udp")]
    Url(String),
    /// RFC 9725 §4.6 wants both for TURN.
    #[error("{0} is a TURN server and needs both username and credential")]
    Credentials(String),
    /// Text that a quoted header parameter cannot hold.
    #[error("username or credential of {0} holds a quote, a backslash or a character outside ASCII")]
    Text(String),
}

impl IceServers {
    /// Checks and keeps the configuration's list.
    ///
    /// # Errors
    /// With the first entry that cannot be told to a client.
    pub fn new<'a>(servers: impl IntoIterator<Item = &'a IceServer>) -> Result<Self, IceServerError> {
        servers.into_iter().map(link).collect::<Result<_, _>>().map(Self)
    }

    /// Adds one `Link` a server.
    pub(super) fn add_links(&self, headers: &mut HeaderMap) {
        for link in self.0.iter() {
            headers.append(header::LINK, link.clone());
        }
    }
}

fn link(server: &IceServer) -> Result<HeaderValue, IceServerError> {
    let IceServer { url, username, credential } = server;
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    let fits_a_link = url.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b));
    if !["stun", "stuns", "turn", "turns"].contains(&scheme) || !fits_a_link || url.len() <= scheme.len() + 1 {
        return Err(IceServerError::Url(url.clone()));
    }
    let mut text = format!("<{url}>; rel=\"ice-server\"");
    if scheme.starts_with("turn") {
        let (Some(username), Some(credential)) = (username, credential) else {
            return Err(IceServerError::Credentials(url.clone()));
        };
        if ![username, credential].iter().all(|text| quotable(text)) {
            return Err(IceServerError::Text(url.clone()));
        }
        text += &format!("; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\"");
    }
    HeaderValue::from_str(&text).map_err(|_| IceServerError::Url(url.clone()))
}

fn quotable(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(username: &str, credential: &str) -> IceServer {
        IceServer { url: "turn:t.example:3478?transport=udp".into(), username: Some(username.into()), credential: Some(credential.into()) }
    }

    #[test]
    fn each_server_becomes_one_link() {
        let stun = IceServer { url: "stun:s.example".into(), ..IceServer::default() };
        let mut headers = HeaderMap::new();
        IceServers::new(&[stun, turn("u", "p")]).unwrap().add_links(&mut headers);
        let links: Vec<_> = headers.get_all(header::LINK).iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(links[0], r#"<stun:s.example>; rel="ice-server""#);
        assert_eq!(
            links[1],
            r#"<turn:t.example:3478?transport=udp>; rel="ice-server"; username="u"; credential="p"; credential-type="password""#
        );
    }

    #[test]
    fn what_would_break_out_of_the_header_is_refused() {
        for url in ["http://x", "stun:", "stun:a>b", "stun:a b", "stun:\r\nX: y", ""] {
            assert!(IceServers::new(&[IceServer { url: url.into(), ..IceServer::default() }]).is_err(), "{url:?}");
        }
        assert!(IceServers::new(&[turn("a\"b", "p")]).is_err());
        assert!(IceServers::new(&[IceServer { username: None, ..turn("", "p") }]).is_err());
    }
}
