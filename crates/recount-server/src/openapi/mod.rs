//! The OpenAPI 3.1 document, made from the handlers.
//!
//! What every operation has in common (problems, security) is added here once. The document is
//! committed as `openapi.json` at the root of the repository; a test compares.

mod events;

use std::sync::LazyLock;

use bytes::Bytes;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ContactBuilder, Content, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder,
    Ref, RefOr, ResponseBuilder, Schema, ServerBuilder,
};

pub(crate) use events::{EventBatch, EventPage, FeedAnswer, ServerSentEvent, StoredEventSchema};

use crate::problem::PROBLEM_JSON;
use crate::routes;

const BEARER: &str = "bearer";

const DESCRIPTION: &str = "\
The audit log that a vendor's customers use themselves: one append-only log per tenant.

Authenticate with `Authorization: Bearer <key>`. A tenant's key implies its tenant; a key of the vendor's side names one \
with `?tenant=`. Another tenant's things answer 404, exactly like things that do not exist.

Every error is a problem document (RFC 9457) with a stable `code`. `Retry-After` says when to come back. Query parameters \
and members that a route does not know are refused. Cursors are opaque, and good only for the question that they came from.";

/// The document as it is committed: indented, with a line feed at the end.
pub fn openapi_json() -> String {
    let mut text = complete().to_pretty_json().expect("an OpenAPI document is JSON");
    text.push('\n');
    text
}

/// The document as it is served.
pub(crate) fn served() -> Bytes {
    static SERVED: LazyLock<Bytes> = LazyLock::new(|| openapi_json().into());
    SERVED.clone()
}

/// What the routes are added to.
pub(crate) fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Recount")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .contact(None::<ContactBuilder>.map(ContactBuilder::build))
        .build();
    let tags = [
        ("events", "Append events and read them."),
        ("exports", "Take events out as files."),
        ("streams", "Continuous exports to other systems."),
        ("portal", "Let a tenant's people in, and what they keep there."),
        ("access", "Keys, and what a credential may do."),
        ("tenants", "Tenants, for the vendor's side."),
        ("operation", "Probes, metrics, this description. They need no credential."),
    ];
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .components(Some(Components::new()))
        .tags(Some(tags.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build())))
        .build()
}

fn complete() -> OpenApi {
    let (_, mut document) = routes::api().split_for_parts();
    let components = document.components.get_or_insert_with(Components::new);
    components.security_schemes.insert(
        BEARER.to_owned(),
        RefOr::T(SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("A key, a portal session's token, or a token of the vendor's own (JWT)."))
                .build(),
        )),
    );
    for (path, item) in &mut document.paths.paths {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            name(path, operation);
            add_common(operation);
            describe_parameters(operation);
        }
    }
    document
}

/// Names an operation by noun and verb, as its file is named: `keys_create`.
fn name(path: &str, operation: &mut Operation) {
    let Some(verb) = operation.operation_id.take() else { return };
    let noun =
        path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next()).map(|noun| noun.replace('-', "_"));
    operation.operation_id = Some(match noun {
        Some(noun) if noun != verb => format!("{noun}_{verb}"),
        _ => verb,
    });
}

/// A parameter with a schema of its own says in the schema what it is for.
fn describe_parameters(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if let (None, Some(RefOr::T(Schema::Object(schema)))) = (&parameter.description, &parameter.schema) {
            parameter.description.clone_from(&schema.description);
        }
    }
}

/// Adds to an operation the problems that it shares with the others, and its security.
fn add_common(operation: &mut Operation) {
    let public = operation.security.is_some();
    if !public {
        operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, [])]);
    }
    let mut common = vec![
        ("400", "The request can't be understood"),
        ("429", "Too much at once; Retry-After says when to come back"),
        ("500", "A mistake of the server"),
        ("503", "Temporarily unavailable; Retry-After says when to come back"),
    ];
    if !public {
        common.extend([
            ("401", "No valid credential"),
            ("403", "The credential may not do this"),
            ("404", "There is no such thing, or not for this credential"),
        ]);
    }
    if operation.request_body.is_some() {
        common.extend([
            ("408", "The body took too long to arrive"),
            ("413", "The body is too large"),
            ("415", "The body's type is not supported"),
        ]);
    }
    if operation.path_is_search() {
        common.push(("422", "The question is too expensive; narrow it"));
    }
    if operation.parameters.is_some() {
        common.push(("414", "The path or query is too long"));
    }
    if operation.makes_things() {
        common.push(("409", "It is not in a state for this"));
    }
    for (status, description) in common {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| problem(description));
    }
}

trait OperationKind {
    fn path_is_search(&self) -> bool;
    fn makes_things(&self) -> bool;
}

impl OperationKind for Operation {
    /// Whether it evaluates a filter.
    fn path_is_search(&self) -> bool {
        self.parameters
            .iter()
            .flatten()
            .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "filter"))
    }

    fn makes_things(&self) -> bool {
        self.tags.iter().flatten().any(|tag| matches!(tag.as_str(), "exports" | "portal" | "streams"))
    }
}

fn problem(description: &str) -> RefOr<utoipa::openapi::Response> {
    let content = Content::builder().schema(Some(Ref::from_schema_name("Problem"))).build();
    RefOr::T(ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build())
}

/// A tenant's id.
pub(crate) fn tenant_schema() -> Schema {
    text()
        .pattern(Some(r"^(?!\.{1,2}$)[A-Za-z0-9._~:@+=-]{1,128}$"))
        .description(Some("A tenant. Needed with a credential of the vendor's side; else implied, and then no other can be named."))
        .examples([serde_json::json!("acme")])
        .build()
        .into()
}

/// A filter.
pub(crate) fn filter_schema() -> Schema {
    text()
        .description(Some("Terms of the filter language, all of which must match; at most 8,192 bytes."))
        .examples([serde_json::json!("action:user.* -action:user.login outcome:denied")])
        .build()
        .into()
}

/// A time.
pub(crate) fn time_schema() -> Schema {
    text()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some("RFC 3339, in the years 1970 to 2199."))
        .examples([serde_json::json!("2026-11-23T14:32:07Z")])
        .build()
        .into()
}

/// The same for a member of a body that may also be null.
pub(crate) fn nullable_time_schema() -> Schema {
    nullable(time_schema())
}

/// The same for a member of a body that may also be null.
pub(crate) fn nullable_filter_schema() -> Schema {
    nullable(filter_schema())
}

/// The same for a member of a body that may also be null.
pub(crate) fn nullable_tenant_schema() -> Schema {
    nullable(tenant_schema())
}

/// How an event ended.
pub(crate) fn outcome_schema() -> Schema {
    text()
        .enum_values(Some(["success", "failure", "denied"]))
        .description(Some("How it ended; `success` if the sender did not say."))
        .build()
        .into()
}

/// Along which direction of time.
pub(crate) fn order_schema() -> Schema {
    text()
        .enum_values(Some(["desc", "asc"]))
        .description(Some("Newest (`desc`) or oldest (`asc`) first."))
        .build()
        .into()
}

/// How a file of events is written.
pub(crate) fn format_schema() -> Schema {
    text()
        .enum_values(Some(["ndjson", "ndjson.gz", "csv", "parquet"]))
        .description(Some("How the file is written."))
        .build()
        .into()
}

fn nullable(schema: Schema) -> Schema {
    match schema {
        Schema::Object(mut object) => {
            object.schema_type = SchemaType::from_iter([Type::String, Type::Null]);
            Schema::Object(object)
        }
        other => other,
    }
}

/// Fields of the filter language, separated by commas.
pub(crate) fn fields_schema() -> Schema {
    text()
        .min_length(Some(1))
        .max_length(Some(1_000))
        .description(Some("Up to five fields of the filter language, separated by commas."))
        .examples([serde_json::json!("action,actor.id")])
        .build()
        .into()
}

/// Scopes of a key.
pub(crate) fn scopes_schema() -> Schema {
    scope_names(&recount_store::access::Scope::ALL, 1)
}

/// Scopes of a portal session.
pub(crate) fn session_scopes_schema() -> Schema {
    use recount_store::access::Scope;
    let allowed: Vec<_> = Scope::ALL
        .into_iter()
        .filter(|scope| !scope.is_vendor_only() && *scope != Scope::EventsWrite)
        .collect();
    scope_names(&allowed, 0)
}

/// Origins of pages.
pub(crate) fn origins_schema() -> Schema {
    let origin = text()
        .format(Some(SchemaFormat::Custom("uri".to_owned())))
        .description(Some("Scheme, host and port as browsers send them."))
        .examples([serde_json::json!("https://app.example.com")])
        .build();
    ArrayBuilder::new().items(origin).max_items(Some(20)).build().into()
}

fn scope_names(scopes: &[recount_store::access::Scope], min: usize) -> Schema {
    let names: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    let one = text().enum_values(Some(names)).build();
    ArrayBuilder::new().items(one).min_items(Some(min)).build().into()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
