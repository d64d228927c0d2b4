//! The columns of the Parquet files.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn long(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

fn int(name: &str) -> Field {
    Field::new(name, DataType::Int32, true)
}

fn object(name: &str, members: Vec<Field>) -> Field {
    Field::new(name, DataType::Struct(Fields::from(members)), true)
}

fn list(name: &str, item: DataType) -> Field {
    Field::new(name, DataType::List(Arc::new(Field::new("element", item, true))), true)
}

fn required(field: Field) -> Field {
    field.with_nullable(false)
}

/// The columns of OCSF files: what any of the written classes has. A class leaves the others null,
/// so that files of all classes have one schema.
pub(super) fn ocsf() -> SchemaRef {
    let named = |name: &str| object(name, vec![text("uid"), text("name"), text("type")]);
    let user = |name: &str| {
        object(name, vec![text("uid"), text("name"), text("email_addr"), text("type"), int("type_id")])
    };
    let product = object("product", vec![text("name"), text("vendor_name")]);
    let metadata = vec![
        text("version"),
        product,
        text("uid"),
        text("tenant_uid"),
        text("event_code"),
        text("log_name"),
        text("log_provider"),
        long("logged_time"),
        text("original_time"),
        long("sequence"),
    ];
    let session = || object("session", vec![text("uid")]);
    let service = || object("service", vec![text("name")]);
    let api = vec![text("operation"), service(), object("request", vec![text("uid")])];
    let resource = DataType::Struct(Fields::from(vec![text("uid"), text("name"), text("type")]));
    Arc::new(Schema::new(vec![
        required(long("time")),
        required(int("class_uid")),
        text("class_name"),
        required(int("category_uid")),
        text("category_name"),
        required(int("activity_id")),
        text("activity_name"),
        required(long("type_uid")),
        text("type_name"),
        required(int("severity_id")),
        text("severity"),
        int("status_id"),
        text("status"),
        text("status_code"),
        text("status_detail"),
        text("message"),
        required(object("metadata", metadata)),
        object("actor", vec![user("user"), session()]),
        user("user"),
        named("group"),
        named("entity"),
        list("privileges", DataType::Utf8),
        object("api", api),
        list("resources", resource),
        service(),
        session(),
        object("src_endpoint", vec![text("ip"), text("name")]),
        object("http_request", vec![text("user_agent"), text("uid")]),
        text("unmapped"),
    ]))
}

/// The columns of files of Recount's own events.
pub(super) fn recount() -> SchemaRef {
    let time = |name: &str| {
        Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())), false)
    };
    let target = DataType::Struct(Fields::from(vec![text("type"), text("id"), text("name")]));
    Arc::new(Schema::new(vec![
        required(long("seq")),
        time("received_at"),
        time("occurred_at"),
        required(text("id")),
        required(text("tenant")),
        required(text("action")),
        required(text("outcome")),
        text("source"),
        required(text("actor_type")),
        required(text("actor_id")),
        text("actor_name"),
        text("actor_email"),
        list("targets", target),
        text("ip"),
        text("user_agent"),
        text("description"),
        text("reason"),
        text("metadata"),
        required(text("event")),
    ]))
}
