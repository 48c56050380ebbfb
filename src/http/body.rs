//! Reads bodies within bounds: the media type, the size, the time.
//!
//! In: a request. Out: its bytes or text, or the problem. Never 400: WHEP players fall back to legacy modes on it.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::Problem;

/// The most bytes of an offer, a fragment or JSON.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// The body as text, where its media type is `wanted`.
pub(super) async fn text(headers: &HeaderMap, body: Body, wanted: &str, patience: Duration) -> Result<String, Problem> {
    require_media_type(headers, &[wanted])?;
    let advice = "an offer with one audio and one video line has under 10000";
    let bytes = bytes(body, MAX_BYTES, advice, patience).await?;
    String::from_utf8(bytes.into()).map_err(|_| Problem::unprocessable("the body is not UTF-8 text; send SDP as it is (RFC 8866 §5)"))
}

/// The whole body, at most `most` bytes; `advice` is told to who sends more.
pub(super) async fn bytes(body: Body, most: usize, advice: &str, patience: Duration) -> Result<Bytes, Problem> {
    match tokio::time::timeout(patience, Limited::new(body, most).collect()).await {
        Err(_) => {
            let detail = format!("the body did not arrive within {} ms; send it at once", patience.as_millis());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {most} bytes; {advice}")))
        }
        Ok(Err(error)) => Err(Problem::unprocessable(format!("the body broke off: {error}"))),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
    }
}

/// Refuses other media types than those `wanted`; parameters and case do not matter (RFC 9110 §8.3.1).
pub(super) fn require_media_type(headers: &HeaderMap, wanted: &[&str]) -> Result<(), Problem> {
    let sent = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let essence = sent.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if wanted.iter().any(|one| essence.eq_ignore_ascii_case(one)) {
        return Ok(());
    }
    let sent = if essence.is_empty() { "no Content-Type".to_owned() } else { format!("Content-Type {}", super::problem::shown(essence)) };
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("the request has {sent}; send Content-Type: {}", wanted.join(" or "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const SDP: &str = "application/sdp";

    fn of_type(content_type: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))])
    }

    async fn status(headers: HeaderMap, body: Body) -> u16 {
        text(&headers, body, SDP, Duration::from_secs(5)).await.unwrap_err().status().as_u16()
    }

    #[tokio::test]
    async fn parameters_and_case_of_the_media_type_do_not_matter() {
        for fine in ["application/sdp", "Application/SDP; charset=utf-8"] {
            assert_eq!(text(&of_type(fine), Body::from("v=0"), SDP, Duration::from_secs(5)).await.unwrap(), "v=0");
        }
    }

    #[tokio::test]
    async fn what_is_not_a_short_sdp_text_is_refused_by_its_own_status() {
        assert_eq!(status(HeaderMap::new(), Body::from("v=0")).await, 415);
        assert_eq!(status(of_type("application/json"), Body::from("{}")).await, 415);
        assert_eq!(status(of_type(SDP), Body::from(vec![b'a'; MAX_BYTES + 1])).await, 413);
        assert_eq!(status(of_type(SDP), Body::from(vec![0xff, 0xfe])).await, 422);
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_given_up() {
        let never = Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
        let problem = text(&of_type(SDP), never, SDP, Duration::from_millis(5)).await.unwrap_err();
        assert_eq!(problem.status().as_u16(), 408);
    }
}
