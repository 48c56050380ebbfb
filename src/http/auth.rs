//! Who may do what: everybody in development mode, else whoever carries an API key.
//!
//! In: `Authorization: Bearer …`, or `?token=…` where media is read by players that send no headers. Out: the request goes on, or 401.
//! Never: a key in clear in memory or in a log; only SHA-256 digests are kept, and they are compared in constant time.

use std::sync::Arc;

use aws_lc_rs::{constant_time, digest};
use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{AppState, Problem};

/// What `<img>`, `<audio>` and `<video>` read, or a link leads to: those send no headers.
const MEDIA: [&str; 6] = [
    "/hls/{room}/index.m3u8",
    "/v1/rooms/{room}/mix.mjpeg",
    "/v1/rooms/{room}/mix.ogg",
    "/v1/rooms/{room}/snapshot.jpg",
    "/v1/rooms/{room}/snapshot.png",
    "/v1/recordings/{id}/{file}",
];

/// Who may make requests.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody (`--dev`; the server is then bound to the loopback address).
    Open,
    /// Whoever carries a key with one of these SHA-256 digests.
    Keys(Arc<[[u8; 32]]>),
}

/// A line of the configuration that is no key's digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("api_keys[{index}] is no key digest: write \"sha256:\" and 64 hexadecimal digits, as `printf %s KEY | sha256sum` prints them")]
pub struct ApiKeyError {
    /// Which line, from 0.
    pub index: usize,
}

impl Access {
    /// Keys as the configuration writes them: `sha256:` and 64 hexadecimal digits each.
    ///
    /// # Errors
    /// With the index of the first line that is no digest.
    pub fn keys<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, ApiKeyError> {
        let digests = lines.into_iter().enumerate().map(|(index, line)| digest_of_line(line).ok_or(ApiKeyError { index }));
        Ok(Self::Keys(digests.collect::<Result<_, _>>()?))
    }

    /// Whether a request with these headers may go on.
    fn allows(&self, headers: &HeaderMap) -> bool {
        matches!(self, Self::Open) || self.key(headers).is_some()
    }

    /// Who makes a request that may go on, for the log: which line of the configuration their key is.
    pub(super) fn who(&self, headers: &HeaderMap) -> String {
        self.key(headers).map_or_else(|| "anybody".to_owned(), |index| format!("api_keys[{index}]"))
    }

    /// Which key it carries.
    fn key(&self, headers: &HeaderMap) -> Option<usize> {
        let Self::Keys(digests) = self else { return None };
        let presented = digest::digest(&digest::SHA256, bearer(headers)?);
        let is_it = |known: &[u8; 32]| constant_time::verify_slices_are_equal(known, presented.as_ref()).is_ok();
        // Every digest is compared, so that the time tells nothing about which one came close.
        digests.iter().enumerate().fold(None, |found, (index, known)| is_it(known).then_some(index).or(found))
    }
}

fn digest_of_line(line: &str) -> Option<[u8; 32]> {
    let digits = line.strip_prefix("sha256:")?.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

/// The token of `Authorization: Bearer` (RFC 6750 §2.1); the scheme's case does not matter (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Takes the token out of the query of a request for media, so that nothing behind here sees it or writes it down, and makes it the
/// header that says the same. A header that is there goes before it.
fn take_token(request: &mut Request) {
    let is_media = request.extensions().get::<MatchedPath>().is_some_and(|path| MEDIA.contains(&path.as_str()));
    if !is_media || ![Method::GET, Method::HEAD].contains(request.method()) {
        return;
    }
    let is_token = |pair: &&str| pair.split('=').next() == Some("token");
    let query = request.uri().query().unwrap_or_default();
    let (tokens, others): (Vec<_>, Vec<_>) = query.split('&').partition(is_token);
    let Some(token) = tokens.first() else { return };
    let read = Query::<Vec<(String, String)>>::try_from_uri(&with_query(request.uri(), token));
    let token = read.ok().and_then(|Query(pairs)| HeaderValue::from_str(&format!("Bearer {}", pairs.first()?.1)).ok());
    *request.uri_mut() = with_query(request.uri(), &others.join("&"));
    if let Some(token) = token.filter(|_| !request.headers().contains_key(header::AUTHORIZATION)) {
        request.headers_mut().insert(header::AUTHORIZATION, token);
    }
}

/// The same path with another query.
fn with_query(uri: &Uri, query: &str) -> Uri {
    let path = uri.path();
    let text = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    text.parse().expect("a path and a part of a query that were read are a path and a query")
}

/// Lets a request through that may be made; preflights carry no token (Fetch §4.8) and change nothing.
pub(super) async fn require(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    take_token(&mut request);
    if request.method() == Method::OPTIONS || state.access.allows(request.headers()) {
        return next.run(request).await;
    }
    let is_media = request.extensions().get::<MatchedPath>().is_some_and(|path| MEDIA.contains(&path.as_str()));
    let detail = match bearer(request.headers()) {
        None if is_media => "this request needs an API key: send Authorization: Bearer KEY, or ?token=KEY where a player sends no headers",
        Some(_) => "the API key is not one of this server's; check it for a missing character",
        None => "this request needs an API key: send Authorization: Bearer KEY",
    };
    let mut refusal = Problem::new(StatusCode::UNAUTHORIZED, detail).into_response();
    refusal.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"medley\""));
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf %s open-sesame | sha256sum`
    const LINE: &str = "sha256:d7ecdf25eaf3deba0f2628771dbdd22d4138ab6cf38f91ed02a2ca0dec7c8ab7";

    fn headers(authorization: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(authorization))])
    }

    #[test]
    fn only_a_known_key_is_let_in() {
        let access = Access::keys([LINE]).unwrap();
        assert!(access.allows(&headers("Bearer open-sesame")));
        assert!(access.allows(&headers("bearer open-sesame")));
        assert_eq!(access.who(&headers("Bearer open-sesame")), "api_keys[0]");
        for wrong in ["Bearer open-sesam", "Bearer ", "open-sesame", "Basic open-sesame", "Bearer", ""] {
            assert!(!access.allows(&headers(wrong)), "{wrong:?}");
        }
        assert!(!access.allows(&HeaderMap::new()));
    }

    #[test]
    fn no_configured_key_lets_nobody_in() {
        assert!(!Access::keys([]).unwrap().allows(&headers("Bearer open-sesame")));
    }

    #[test]
    fn a_line_that_is_no_digest_is_named() {
        for wrong in ["open-sesame", "sha256:12", &LINE.replace('d', "g"), &format!("sha256:+{}", "1".repeat(63))] {
            assert_eq!(Access::keys([LINE, wrong]).unwrap_err(), ApiKeyError { index: 1 }, "{wrong}");
        }
    }
}
