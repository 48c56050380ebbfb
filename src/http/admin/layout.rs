//! `/v1/rooms/{room}/layout`: as applied, apply, and a dry run.

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::{tagged, told};
use crate::http::path::{Room, RoomParam, query};
use crate::http::{AppState, Problem, etag, json};
use crate::layout::LayoutSpec;
use crate::media::ViewName;
use crate::rooms::ViewReport;

/// How far ahead a layout may be set, in milliseconds: a day.
const FURTHEST_MS: u64 = 24 * 60 * 60 * 1000;

/// Which of the room's layouts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LayoutQuery {
    /// The view; default `main`.
    #[param(inline, required = false)]
    view: Option<ViewName>,
}

/// Which layout, and whether it is meant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApplyQuery {
    /// The view; default `main`.
    #[param(inline, required = false)]
    view: Option<ViewName>,
    /// Only check, and answer with the cells that it would give; default false.
    #[param(required = false)]
    dry_run: bool,
}

/// A layout, and when it is to be applied.
pub(crate) struct LayoutBody {
    layout: LayoutSpec,
    at_ms: Option<u64>,
}

impl PartialSchema for LayoutBody {
    /// A layout's fields and one more.
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut layout)) = LayoutSpec::schema() else { return LayoutSpec::schema() };
        let told = "Room time at which it is applied, at most a day ahead; default at once.";
        let at = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).description(Some(told));
        layout.properties.insert("at_ms".into(), at.into());
        layout.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        layout.into()
    }
}

impl ToSchema for LayoutBody {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        LayoutSpec::schemas(schemas);
    }
}

impl LayoutBody {
    /// The fields read; `now_ms` is the room's time.
    fn read(mut fields: Map<String, Value>, now_ms: u64) -> Result<Self, Problem> {
        let at_ms = fields.remove("at_ms").map(|at| at_ms(&at, now_ms)).transpose()?;
        Ok(Self { layout: json::typed(Value::Object(fields))?, at_ms })
    }
}

fn at_ms(value: &Value, now_ms: u64) -> Result<u64, Problem> {
    let whole = || value.as_f64().filter(|at| at.fract() == 0.0 && (0.0..=9e15).contains(at)).map(|at| at as u64);
    let at =
        value.as_u64().or_else(whole).ok_or_else(|| Problem::unprocessable("at_ms: is no room time; send whole milliseconds from 0 on"))?;
    let last = now_ms.saturating_add(FURTHEST_MS);
    let late = || Problem::unprocessable(format!("at_ms: {at} is more than a day ahead; the room's time is {now_ms}"));
    if at <= last { Ok(at) } else { Err(late()) }
}

/// A view's layout as applied, with its cells
///
/// The ETag is that of the layout alone.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/layout",
    operation_id = "get_layout",
    tag = "Layouts",
    params(RoomParam, LayoutQuery),
    responses((status = 200, description = "The layout", body = ViewReport), (status = 404, description = "No such room or view"))
)]
pub(crate) async fn get(State(state): State<AppState>, Room(room): Room, uri: Uri) -> Result<Response, Problem> {
    let LayoutQuery { view } = query(&uri)?;
    let (report, tag) = state.rooms.layout(&room, &view.unwrap_or_else(ViewName::main)).await?;
    Ok(tagged(&tag, &report))
}

/// Arrange a view otherwise, or only see what that would give
///
/// Takes effect at one tick: the first from room time `at_ms` on, else within two. The room is kept from here on.
#[utoipa::path(
    put,
    path = "/v1/rooms/{room}/layout",
    operation_id = "put_layout",
    tag = "Layouts",
    params(RoomParam, ApplyQuery, ("If-Match" = Option<String>, Header, description = "The ETag of the layout that is replaced")),
    request_body(content = LayoutBody, example = json!({ "regions": [
        { "id": "stage", "left": "0", "top": "0", "width": "3/4", "height": "1", "shows": "screen|pinned|speaker" },
        { "id": "side", "left": "3/4", "top": "0", "width": "1/4", "height": "1/3" }
    ] })),
    responses(
        (status = 200, description = "The layout and its cells", body = ViewReport),
        (status = 404, description = "No such room or view"),
        (status = 409, description = "There are as many rooms as there may be"),
        (status = 412, description = "The precondition does not hold"),
    )
)]
pub(crate) async fn put(State(state): State<AppState>, Room(room): Room, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let ApplyQuery { view, dry_run } = query(&head.uri)?;
    let view = view.unwrap_or_else(ViewName::main);
    let precondition = etag::precondition(&head.headers)?;
    let fields = json::object(&head.headers, body, &[json::JSON], state.limits.body).await?;
    let LayoutBody { layout, at_ms } = LayoutBody::read(fields, state.clock.now().as_millis())?;
    if dry_run {
        return Ok(told(&state.rooms.check_layout(&room, &view, layout).await?));
    }
    let (report, tag) = state.rooms.put_layout(&room, &view, layout, at_ms, precondition).await?;
    Ok(tagged(&tag, &report))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: Value) -> Result<LayoutBody, Problem> {
        LayoutBody::read(body.as_object().cloned().unwrap(), 1000)
    }

    #[test]
    fn a_time_stands_beside_the_layouts_own_fields() {
        let body = read(json!({ "names": false, "at_ms": 5000 })).unwrap_or_else(|problem| panic!("{}", problem.detail()));
        assert_eq!((body.at_ms, body.layout.names), (Some(5000), false));
    }

    #[test]
    fn a_time_that_never_comes_is_refused() {
        for wrong in [json!(-1), json!(1.5), json!("5"), json!(null), json!(u64::MAX), json!(1001 + FURTHEST_MS)] {
            let Err(problem) = read(json!({ "at_ms": wrong.clone() })) else { panic!("{wrong}") };
            assert!(problem.detail().starts_with("at_ms: "), "{wrong}");
        }
        assert!(read(json!({ "at_ms": 1000 + FURTHEST_MS })).is_ok());
    }

    #[test]
    fn the_document_knows_the_time_and_every_field_of_a_layout() {
        let [body, layout] = [LayoutBody::schema(), LayoutSpec::schema()].map(|schema| serde_json::to_value(schema).unwrap());
        let names = |schema: &Value| schema["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let added: Vec<_> = names(&body).into_iter().filter(|name| !names(&layout).contains(name)).collect();
        assert_eq!(added, ["at_ms"]);
        assert_eq!(body["additionalProperties"], json!(false));
    }
}
