//! HTTP: joining, WHIP, WHEP, sessions, the admin's API, snapshots, pages, health and metrics.
//!
//! In: requests from anybody, as hostile as they come. Out: answers that teach (RFC 9457), seats in rooms, checked offers
//! to the peers. Never: a codec call on the async threads (snapshots are encoded beside them), or a queue without a bound.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::broadcast::Broadcast;
use crate::broadcast::hls::Hls;
use crate::media::Clock;
use crate::metrics::Metrics;
use crate::peer::Peers;
use crate::players::Players;
use crate::record::Recordings;
use crate::rooms::Rooms;

mod admin;
mod audit;
mod auth;
mod body;
mod cors;
mod docs;
mod encode;
mod etag;
mod files;
mod hls;
mod ice;
mod join;
mod json;
mod ops;
mod outflow;
mod pages;
mod path;
mod players;
mod problem;
mod ranges;
mod ready;
mod recordings;
mod server;
mod session;
mod snapshot;
mod stall;
mod streams;
mod wish;

pub use admin::{Previews, Streams};
pub use auth::{Access, ApiKeyError};
pub use ice::{IceServer, IceServerError, IceServers};
pub use problem::Problem;
pub use ready::{Check, Readiness};
pub use server::{Limits, serve};
pub use snapshot::Snapshots;

/// What every request can reach. Cloning shares it.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The directory of rooms.
    pub rooms: Arc<Rooms>,
    /// All WebRTC sessions.
    pub peers: Arc<Peers>,
    /// All recordings.
    pub recordings: Arc<Recordings>,
    /// Files that play into rooms.
    pub players: Arc<Players>,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// What `/readyz` tells.
    pub readiness: Readiness,
    /// Who may do what.
    pub access: Access,
    /// STUN and TURN servers that clients are told of.
    pub ice_servers: IceServers,
    /// Encoded snapshots, one a frame period.
    pub snapshots: Snapshots,
    /// Pictures of templates.
    pub previews: Previews,
    /// The rooms as MJPEG and Ogg.
    pub broadcast: Broadcast,
    /// Streams of events there are.
    pub streams: Streams,
    /// HLS streams there are.
    pub hls: Hls,
    /// Real time, for the age of snapshots.
    pub clock: Clock,
    /// Bounds on connections and bodies.
    pub limits: Limits,
}

/// What needs a key.
fn guarded() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(join::join).map(|join| join.options(cors::preflight_sdp)))
        .routes(routes!(join::whip).map(|whip| whip.options(cors::preflight_sdp)))
        .routes(routes!(join::whep).map(|whep| whep.options(cors::preflight_sdp)))
        .routes(routes!(snapshot::png))
        .routes(routes!(snapshot::jpeg))
        .routes(routes!(streams::pictures))
        .routes(routes!(streams::sound))
        .routes(routes!(ops::metrics))
        .routes(routes!(files::list))
        .routes(routes!(files::get, files::put, files::delete))
        .routes(routes!(players::list, players::play))
        .routes(routes!(players::get, players::stop))
        .routes(routes!(hls::playlist))
        .merge(admin::routes())
        .merge(recordings::routes())
}

/// What everybody may ask for.
fn open() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(session::state, session::patch, session::end).map(|session| session.options(cors::preflight_session)))
        .routes(routes!(hls::file))
        .routes(routes!(ops::health))
        .routes(routes!(ops::ready))
        .routes(routes!(ops::version))
        .routes(routes!(docs::openapi))
        .routes(routes!(pages::index))
        .routes(routes!(pages::admin))
        .routes(routes!(pages::docs))
        .routes(routes!(pages::room))
        .routes(routes!(pages::watch))
        .routes(routes!(pages::stats))
        .routes(routes!(pages::asset))
}

/// All routes. [`serve`] adds the connections.
pub fn router(state: AppState) -> Router {
    let (guarded, _) = guarded().split_for_parts();
    let (open, _) = open().split_for_parts();
    guarded
        .route_layer(from_fn_with_state(state.clone(), audit::write_down))
        .route_layer(from_fn_with_state(state.clone(), auth::require))
        .merge(open)
        .fallback(problem::no_such_resource)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(from_fn(cors::open_to_all))
        .with_state(state)
}
