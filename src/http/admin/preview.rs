//! How a layout looks with so many made-up people, as PNG.
//!
//! In: a template's name or a layout, a canvas's size, a number of people. Out: a picture, drawn and encoded beside the async threads,
//! one at a time; those of templates are kept. Never: a room touched.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

use crate::compositor::stills;
use crate::http::encode::Format;
use crate::http::path::{Named, NamedParam, query};
use crate::http::{AppState, Problem, etag, json};
use crate::layout::LayoutSpec;
use crate::media::Within;
use crate::rooms::AdminError;
use crate::rooms::spec::CanvasSpec;

/// Pictures kept at most.
const KEPT: usize = 256;

/// The pictures of templates made last, by their entity tags. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Previews(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    made: Mutex<Made>,
    /// One at a time: previews never take more than one core from the rooms.
    turn: Semaphore,
}

/// Pictures, each with the number of the last request for it.
#[derive(Debug, Default)]
struct Made {
    pictures: BTreeMap<String, (u64, Bytes)>,
    requests: u64,
}

impl Default for Previews {
    fn default() -> Self {
        Self(Arc::new(Shared { made: Mutex::default(), turn: Semaphore::new(1) }))
    }
}

impl Previews {
    fn find(&self, tag: &str) -> Option<Bytes> {
        let mut made = self.0.made.lock();
        made.requests += 1;
        let now = made.requests;
        let (asked, picture) = made.pictures.get_mut(tag)?;
        *asked = now;
        Some(picture.clone())
    }

    /// Keeps one more; the one that was asked for longest ago makes place for it.
    fn keep(&self, tag: &str, picture: Bytes) {
        let mut made = self.0.made.lock();
        let oldest = made.pictures.iter().min_by_key(|(_, (asked, _))| *asked).map(|(tag, _)| tag.clone());
        if let Some(oldest) = oldest.filter(|_| made.pictures.len() >= KEPT) {
            made.pictures.remove(&oldest);
        }
        let now = made.requests;
        made.pictures.insert(tag.to_owned(), (now, picture));
    }
}

/// What is drawn.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PreviewQuery {
    /// People, default 4.
    #[param(inline, required = false)]
    participants: Within<0, 100>,
    /// The canvas's width in pixels, even; default 640.
    #[param(inline, required = false)]
    width: Within<128, 3840>,
    /// The canvas's height in pixels, even; default 360.
    #[param(inline, required = false)]
    height: Within<128, 2160>,
}

impl Default for PreviewQuery {
    fn default() -> Self {
        Self { participants: Within::of(4), width: Within::of(640), height: Within::of(360) }
    }
}

impl PreviewQuery {
    fn read(uri: &Uri) -> Result<Self, Problem> {
        let read: Self = query(uri)?;
        for (side, pixels) in [("width", read.width.get()), ("height", read.height.get())] {
            if pixels % 2 == 1 {
                return Err(Problem::unprocessable(format!("the query: {side}: {pixels} is odd; send an even number")));
            }
        }
        Ok(read)
    }

    fn canvas(self) -> CanvasSpec {
        CanvasSpec { width: self.width, height: self.height, ..CanvasSpec::default() }
    }
}

/// How a template looks with so many people
#[utoipa::path(
    get,
    path = "/v1/layouts/{name}/preview.png",
    operation_id = "preview_template",
    tag = "Layouts",
    params(NamedParam, PreviewQuery),
    responses(
        (status = 200, description = "The picture", content_type = "image/png", body = [u8]),
        (status = 304, description = "It is what If-None-Match says"),
        (status = 404, description = "No such template"),
        (status = 503, description = "The picture could not be encoded; try again"),
    )
)]
pub(crate) async fn stored(State(state): State<AppState>, Named(name): Named, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let asked = PreviewQuery::read(&uri)?;
    let (_, template) = state.rooms.template(&name)?;
    // All that the picture depends on: the same tag is the same picture, without drawing it.
    let tag = etag::of(format!("{} {name} {} {asked:?}", env!("CARGO_PKG_VERSION"), template.0).as_bytes());
    let kept = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=60"))];
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let key = tag.to_str().expect("hexadecimal digits in quotes");
    let picture = match state.previews.find(key) {
        Some(picture) => picture,
        None => {
            let picture = draw(&state, LayoutSpec::template(name), asked).await?;
            state.previews.keep(key, picture.clone());
            picture
        }
    };
    Ok((kept, png(picture)).into_response())
}

/// How a layout that is not stored looks with so many people
#[utoipa::path(
    post,
    path = "/v1/layouts/preview.png",
    operation_id = "preview_layout",
    tag = "Layouts",
    params(PreviewQuery),
    request_body(content = LayoutSpec, example = json!({ "template": "speaker", "gap": 8 })),
    responses(
        (status = 200, description = "The picture", content_type = "image/png", body = [u8]),
        (status = 503, description = "The picture could not be encoded; try again"),
    )
)]
pub(crate) async fn unsaved(State(state): State<AppState>, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let asked = PreviewQuery::read(&head.uri)?;
    let fields = json::object(&head.headers, body, &[json::JSON], state.limits.body).await?;
    let picture = draw(&state, json::typed(fields.into())?, asked).await?;
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], png(picture)).into_response())
}

async fn draw(state: &AppState, layout: LayoutSpec, asked: PreviewQuery) -> Result<Bytes, Problem> {
    let _turn = state.previews.0.turn.acquire().await.expect("the semaphore is never closed");
    let rooms = state.rooms.clone();
    let drawn = tokio::task::spawn_blocking(move || {
        let frame = rooms.preview(layout, asked.canvas(), asked.participants.get() as usize)?;
        Ok::<_, AdminError>(Bytes::from(stills::encode_png(&frame)))
    });
    drawn.await.ok().transpose()?.ok_or_else(Problem::unmade_picture)
}

fn png(picture: Bytes) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(Format::Png.media_type()))], picture).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_drawn_is_refused_by_its_name() {
        for (text, said) in
            [("width=129", "width"), ("height=127", "128 to 2160"), ("participants=101", "0 to 100"), ("people=3", "people")]
        {
            let problem = PreviewQuery::read(&format!("/x?{text}").parse().unwrap()).unwrap_err();
            assert!(problem.status() == 422 && problem.detail().contains(said), "{text}: {}", problem.detail());
        }
    }

    #[test]
    fn the_picture_asked_for_longest_ago_makes_place() {
        let previews = Previews::default();
        (0..KEPT).for_each(|n| {
            previews.find("none");
            previews.keep(&n.to_string(), Bytes::new());
        });
        assert!(previews.find("0").is_some(), "asked for again");
        previews.keep("new", Bytes::new());
        assert!(previews.find("0").is_some() && previews.find("1").is_none() && previews.find("new").is_some());
        assert_eq!(previews.0.made.lock().pictures.len(), KEPT);
    }
}
