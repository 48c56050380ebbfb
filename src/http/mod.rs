//! HTTP: joining, WHIP, WHEP, sessions, snapshots, pages, health and metrics.
//!
//! In: requests from anybody, as hostile as they come. Out: answers that teach (RFC 9457), seats in rooms, checked offers
//! to the peers. Never: a codec call on the async threads (snapshots are encoded beside them), or a queue without a bound.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::media::{Canvas, Clock};
use crate::metrics::Metrics;
use crate::peer::Peers;
use crate::rooms::Rooms;

mod auth;
mod body;
mod cors;
mod ice;
mod join;
mod ops;
mod pages;
mod problem;
mod ready;
mod server;
mod session;
mod snapshot;
mod stall;
mod wish;

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
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// What `/readyz` tells.
    pub readiness: Readiness,
    /// Who may do what.
    pub access: Access,
    /// STUN and TURN servers that clients are told of.
    pub ice_servers: IceServers,
    /// The one rendition of this version: nobody is sent a smaller or slower picture.
    pub canvas: Canvas,
    /// Encoded snapshots, one a frame period.
    pub snapshots: Snapshots,
    /// Real time, for the age of snapshots.
    pub clock: Clock,
    /// Bounds on connections and bodies.
    pub limits: Limits,
}

/// All routes. [`serve`] adds the connections.
pub fn router(state: AppState) -> Router {
    let guarded = Router::new()
        .route("/v1/rooms", get(ops::rooms))
        .route("/v1/rooms/{room}/join", post(join::join).options(cors::preflight_sdp))
        .route("/v1/rooms/{room}/snapshot.png", get(snapshot::png))
        .route("/v1/rooms/{room}/snapshot.jpg", get(snapshot::jpeg))
        .route("/whip/{room}", post(join::whip).options(cors::preflight_sdp))
        .route("/whep/{room}", post(join::whep).options(cors::preflight_sdp))
        .route("/metrics", get(ops::metrics))
        .route_layer(from_fn_with_state(state.clone(), auth::require));
    let open = Router::new()
        .route("/v1/sessions/{session}", get(session::state).patch(session::patch).delete(session::end).options(cors::preflight_session))
        .route("/healthz", get(ops::health))
        .route("/readyz", get(ops::ready))
        .route("/version", get(ops::version))
        .route("/", get(pages::index))
        .route("/r/{room}", get(pages::room))
        .route("/watch/{room}", get(pages::watch))
        .route("/assets/{version}/{file}", get(pages::asset));
    guarded
        .merge(open)
        .fallback(problem::no_such_resource)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(from_fn(cors::open_to_all))
        .with_state(state)
}
