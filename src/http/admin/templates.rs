//! `/v1/layouts`: the templates that come with the server, and an admin's own.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{tagged, told, written};
use crate::http::path::{Named, NamedParam};
use crate::http::{AppState, Problem, etag, json};
use crate::layout::{Arrangement, People, Region, Template};
use crate::rooms::{AdminError, TemplateReport};

/// The templates, by name.
#[derive(Serialize, ToSchema)]
pub(crate) struct TemplateList {
    layouts: Vec<TemplateReport>,
}

/// A template, in full or for any number of people at once.
#[derive(ToSchema)]
#[schema(as = TemplateBody)]
#[serde(untagged)]
#[expect(dead_code, reason = "a description; Body reads it")]
pub(crate) enum TemplateBody {
    /// By number of people.
    Full(Template),
    /// The same regions for any number of people.
    Alike(Alike),
}

/// A template with one arrangement, for any number of people.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alike {
    /// For people who choose: at most 64 characters.
    #[serde(default)]
    #[schema(max_length = 64, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    title: String,
    /// What it is good for: at most 512 characters.
    #[serde(default)]
    #[schema(max_length = 512, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    description: String,
    /// 1 to 64, filled in this order.
    #[schema(min_items = 1, max_items = 64)]
    regions: Vec<Region>,
}

/// A body as it was read: `path` is where its regions stand in the whole template, and not in the body.
struct Body {
    template: Template,
    path: &'static str,
}

impl Body {
    fn read(fields: Map<String, Value>) -> Result<Self, Problem> {
        if !fields.contains_key("regions") || fields.contains_key("arrangements") {
            return Ok(Self { template: json::typed(Value::Object(fields))?, path: "" });
        }
        let Alike { title, description, regions } = json::typed(Value::Object(fields))?;
        let arrangement = Arrangement { people: People::default(), orientation: None, regions };
        Ok(Self { template: Template { title, description, arrangements: vec![arrangement] }, path: "arrangements[0]." })
    }
}

/// An error with its field as the body writes it.
fn as_written(error: AdminError, path: &str) -> AdminError {
    match error {
        AdminError::Invalid { field, rule } => AdminError::Invalid { field: field.strip_prefix(path).unwrap_or(&field).to_owned(), rule },
        other => other,
    }
}

/// List the templates: those that come with the server, and stored ones
#[utoipa::path(
    get,
    path = "/v1/layouts",
    operation_id = "list_layouts",
    tag = "Layouts",
    responses((status = 200, description = "The templates, by name", body = TemplateList))
)]
pub(crate) async fn list(State(state): State<AppState>) -> Response {
    told(&TemplateList { layouts: state.rooms.templates() })
}

/// One template
#[utoipa::path(
    get,
    path = "/v1/layouts/{name}",
    operation_id = "get_template",
    tag = "Layouts",
    params(NamedParam),
    responses(
        (status = 200, description = "The template", body = TemplateReport),
        (status = 304, description = "It is what If-None-Match says"),
        (status = 404, description = "No such template"),
    )
)]
pub(crate) async fn get(State(state): State<AppState>, Named(name): Named, headers: HeaderMap) -> Result<Response, Problem> {
    let (report, tag) = state.rooms.template(&name)?;
    let tag_header = etag::header_of(&tag);
    if etag::is_known(&headers, &tag_header.1) {
        return Ok((StatusCode::NOT_MODIFIED, [tag_header]).into_response());
    }
    let mut response = tagged(&tag, &report);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// Store a template; rooms that use it are arranged anew
#[utoipa::path(
    put,
    path = "/v1/layouts/{name}",
    operation_id = "put_template",
    tag = "Layouts",
    params(NamedParam, ("If-Match" = Option<String>, Header, description = "The ETag that is replaced"), ("If-None-Match" = Option<String>, Header, description = "`*`: only make")),
    request_body(content = TemplateBody, example = json!({ "title": "Duo", "arrangements": [
        { "people": 1, "regions": [{ "id": "all", "left": 0, "top": 0, "width": 1, "height": 1 }] },
        { "people": "2+", "regions": [
            { "id": "left", "left": 0, "top": "1/4", "width": "1/2", "height": "1/2" },
            { "id": "right", "left": "1/2", "top": "1/4", "width": "1/2", "height": "1/2" }
        ] }
    ] })),
    responses(
        (status = 200, description = "Replaced", body = TemplateReport),
        (status = 201, description = "Made", body = TemplateReport),
        (status = 409, description = "It comes with the server, or there are as many as there may be"),
        (status = 412, description = "The precondition does not hold"),
    )
)]
pub(crate) async fn put(State(state): State<AppState>, Named(name): Named, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let precondition = etag::precondition(&head.headers)?;
    let fields = json::object(&head.headers, body, &[json::JSON], state.limits.body).await?;
    let Body { template, path } = Body::read(fields)?;
    let stored = state.rooms.put_template(&name, template, precondition).await;
    let (outcome, report, tag) = stored.map_err(|error| as_written(error, path))?;
    Ok(written(outcome, &format!("/v1/layouts/{name}"), &tag, &report))
}

/// Forget a stored template
#[utoipa::path(
    delete,
    path = "/v1/layouts/{name}",
    operation_id = "delete_template",
    tag = "Layouts",
    params(NamedParam, ("If-Match" = Option<String>, Header, description = "The ETag that is removed")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such template"),
        (status = 409, description = "It comes with the server, or a room uses it"),
        (status = 412, description = "The precondition does not hold"),
    )
)]
pub(crate) async fn delete(State(state): State<AppState>, Named(name): Named, headers: HeaderMap) -> Result<StatusCode, Problem> {
    state.rooms.delete_template(&name, etag::precondition(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(body: Value) -> String {
        let Err(problem) = Body::read(body.as_object().cloned().unwrap()) else { panic!("{body}") };
        problem.detail().to_owned()
    }

    #[test]
    fn a_mistake_is_named_by_its_path_in_the_body_that_was_sent() {
        assert!(refused(json!({ "regions": [{ "id": "a b" }] })).starts_with("regions[0].id: "));
        assert!(refused(json!({ "arrangements": [{ "regions": [{ "id": "a b" }] }] })).starts_with("arrangements[0].regions[0].id: "));
        assert!(refused(json!({ "title": "x" })).contains("missing field `arrangements`"));
        assert!(refused(json!({ "regions": [], "arrangements": [] })).contains("regions"));
    }

    #[test]
    fn a_broken_rule_is_named_by_its_path_in_the_body_that_was_sent() {
        let broken = || AdminError::Invalid { field: "arrangements[0].regions[1].width".into(), rule: "r".into() };
        assert_eq!(as_written(broken(), "arrangements[0].").to_string(), "regions[1].width: r");
        assert_eq!(as_written(broken(), "").to_string(), "arrangements[0].regions[1].width: r");
    }
}
