//! The attributes of an event in its class; `docs/formats/ocsf.md` is this file in words.

use std::net::IpAddr;

use recount_event::{Fields, Outcome, TargetFields, read_fields};
use recount_store::StoredEvent;
use serde_json::{Map, Value, json};

use super::{
    OcsfVersion, Record,
    class::{OTHER, OcsfClass, activity_name, class_in, is_group, is_privilege, is_user},
};
use crate::formats::EncodeError;

/// What stands for the address of an actor that has none, where the class demands one.
const NO_ENDPOINT: &str = "internal";

pub(super) fn record(event: &StoredEvent, version: OcsfVersion) -> Result<Record, EncodeError> {
    let fields = read_fields(&event.line).map_err(|error| EncodeError::corrupt(event, &error))?;
    let (class, activity) = class_in(&fields, version);
    let mut mapping =
        Mapping { fields: &fields, version, class, attributes: Map::new(), unmapped: Vec::new() };
    mapping.classification(activity);
    mapping.common(event);
    mapping.who_and_where();
    mapping.what();
    mapping.rest();
    Ok(Record {
        attributes: mapping.attributes,
        unmapped: (!mapping.unmapped.is_empty()).then(|| {
            let members: Vec<String> = mapping
                .unmapped
                .iter()
                .map(|(name, text)| format!("{}:{text}", Value::from(*name)))
                .collect();
            format!("{{{}}}", members.join(","))
        }),
    })
}

struct Mapping<'a> {
    fields: &'a Fields<'a>,
    version: OcsfVersion,
    class: OcsfClass,
    attributes: Map<String, Value>,
    /// Members of `unmapped`: names, and values as JSON text.
    unmapped: Vec<(&'static str, String)>,
}

impl Mapping<'_> {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.attributes.insert(name.to_owned(), value.into());
    }

    fn keep(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.unmapped.push((name, Value::from(value).to_string()));
        }
    }

    fn classification(&mut self, activity: i64) {
        let class = self.class;
        let (category, category_name) = class.category();
        let name = activity_name(class, activity);
        self.set("class_uid", class.uid());
        self.set("class_name", class.caption());
        self.set("category_uid", category);
        self.set("category_name", category_name);
        self.set("activity_id", activity);
        self.set("activity_name", name.unwrap_or(&self.fields.action));
        self.set("type_uid", class.uid() * 100 + activity);
        let type_name = if activity == OTHER { "Other" } else { name.unwrap_or("Other") };
        self.set("type_name", format!("{}: {type_name}", class.caption()));
    }

    fn common(&mut self, event: &StoredEvent) {
        let fields = self.fields;
        self.set("time", fields.occurred_at.as_micros() / 1_000);
        let (severity, name) = match fields.outcome {
            Outcome::Success => (1, "Informational"),
            Outcome::Failure => (2, "Low"),
            Outcome::Denied => (3, "Medium"),
        };
        self.set("severity_id", severity);
        self.set("severity", name);
        let (status, name) = match fields.outcome {
            Outcome::Success => (1, "Success"),
            Outcome::Failure | Outcome::Denied => (2, "Failure"),
        };
        self.set("status_id", status);
        self.set("status", name);
        if fields.outcome == Outcome::Denied {
            self.set("status_code", "denied");
        }
        if let Some(reason) = &fields.reason {
            self.set("status_detail", reason.as_ref());
        }
        if let Some(description) = &fields.description {
            self.set("message", description.as_ref());
        }
        self.set(
            "metadata",
            json!({
                "version": self.version.name(),
                "product": {"name": fields.source.as_deref().unwrap_or("Recount"), "vendor_name": "Recount"},
                "uid": fields.id,
                "tenant_uid": fields.tenant,
                "event_code": fields.action,
                "log_name": "audit",
                "log_provider": "recount",
                "logged_time": event.received_at.as_micros() / 1_000,
                "original_time": fields.occurred_at.to_string(),
                "sequence": event.seq,
            }),
        );
    }

    fn who_and_where(&mut self) {
        let fields = self.fields;
        let mut actor = json!({ "user": self.actor_user() });
        if let Some(session) = &fields.session_id {
            actor["session"] = json!({ "uid": session });
        }
        self.set("actor", actor);
        if let Some(metadata) = fields.actor_metadata {
            self.unmapped.push(("actor_metadata", metadata.to_owned()));
        }
        match fields.ip.as_deref().and_then(|ip| ip.parse::<IpAddr>().ok()) {
            Some(ip) => self.set("src_endpoint", json!({ "ip": ip.to_string() })),
            None => {
                if self.class == OcsfClass::ApiActivity {
                    self.set("src_endpoint", json!({ "name": NO_ENDPOINT }));
                }
                self.keep("ip", fields.ip.as_deref());
            }
        }
        let mut request = Map::new();
        for (name, value) in [("user_agent", &fields.user_agent), ("uid", &fields.request_id)] {
            if let Some(value) = value {
                request.insert(name.to_owned(), value.as_ref().into());
            }
        }
        if !request.is_empty() {
            self.set("http_request", request);
        }
        // A location in words has no attribute: OCSF's needs a city, a country or coordinates.
        self.keep("location", fields.location.as_deref());
    }

    fn actor_user(&mut self) -> Value {
        let fields = self.fields;
        let mut user = json!({ "uid": fields.actor_id });
        if let Some(name) = &fields.actor_name {
            user["name"] = name.as_ref().into();
        }
        if let Some(email) = &fields.actor_email {
            if is_email(email, self.version) {
                user["email_addr"] = email.as_ref().into();
            } else {
                self.keep("actor_email", Some(email));
            }
        }
        let (type_id, type_name) = user_type(&fields.actor_type, self.version);
        user["type_id"] = type_id.into();
        user["type"] = type_name.into();
        user
    }

    fn what(&mut self) {
        let fields = self.fields;
        let first =
            |wanted: fn(&TargetFields<'_>) -> bool| fields.targets.iter().find(|target| wanted(target));
        match self.class {
            OcsfClass::Authentication => {
                let user = first(is_user).map_or_else(|| self.actor_user(), named);
                self.set("user", user);
                self.set("service", json!({ "name": fields.source.as_deref().unwrap_or("application") }));
                if let Some(session) = &fields.session_id {
                    self.set("session", json!({ "uid": session }));
                }
            }
            OcsfClass::AccountChange => {
                let user = first(is_user).map_or_else(|| self.actor_user(), named);
                self.set("user", user);
            }
            OcsfClass::UserAccess => {
                let user = first(is_user).map_or_else(|| self.actor_user(), named);
                self.set("user", user);
                let privileges: Vec<&str> = fields
                    .targets
                    .iter()
                    .filter(|target| is_privilege(target))
                    .map(|target| target.name.as_deref().unwrap_or(&target.id))
                    .collect();
                self.set("privileges", privileges);
            }
            OcsfClass::GroupManagement => {
                if let Some(group) = first(is_group) {
                    let mut value = named(group);
                    value["type"] = group.kind.as_ref().into();
                    self.set("group", value);
                }
                if let Some(user) = first(is_user) {
                    self.set("user", named(user));
                }
            }
            OcsfClass::EntityManagement => {
                if let Some(target) = fields.targets.first() {
                    let mut entity = named(target);
                    entity["type"] = target.kind.as_ref().into();
                    self.set("entity", entity);
                }
            }
            OcsfClass::ApiActivity => {
                let mut api = json!({ "operation": fields.action });
                if let Some(source) = &fields.source {
                    api["service"] = json!({ "name": source });
                }
                if let Some(request) = &fields.request_id {
                    api["request"] = json!({ "uid": request });
                }
                self.set("api", api);
                if !fields.targets.is_empty() {
                    let resources: Vec<Value> = fields
                        .targets
                        .iter()
                        .map(|target| {
                            let mut resource = named(target);
                            resource["type"] = target.kind.as_ref().into();
                            resource
                        })
                        .collect();
                    self.set("resources", resources);
                }
            }
        }
    }

    fn rest(&mut self) {
        let fields = self.fields;
        // Classes have a place for one or two targets and for none of their metadata.
        let all_shown = self.class == OcsfClass::ApiActivity
            || (self.class == OcsfClass::EntityManagement && fields.targets.len() == 1);
        let metadata = fields.targets.iter().any(|target| target.metadata.is_some());
        if !fields.targets.is_empty() && (!all_shown || metadata) {
            let targets: Vec<String> = fields.targets.iter().map(target_text).collect();
            self.unmapped.push(("targets", format!("[{}]", targets.join(","))));
        }
        for (name, raw) in [("changes", fields.changes), ("tags", fields.tags), ("metadata", fields.metadata)]
        {
            if let Some(raw) = raw {
                self.unmapped.push((name, raw.to_owned()));
            }
        }
    }
}

fn named(target: &TargetFields<'_>) -> Value {
    let mut value = json!({ "uid": target.id });
    if let Some(name) = &target.name {
        value["name"] = name.as_ref().into();
    }
    value
}

fn target_text(target: &TargetFields<'_>) -> String {
    let mut text = format!(
        "{{\"type\":{},\"id\":{}",
        Value::from(target.kind.as_ref()),
        Value::from(target.id.as_ref())
    );
    if let Some(name) = &target.name {
        text.push_str(&format!(",\"name\":{}", Value::from(name.as_ref())));
    }
    if let Some(metadata) = target.metadata {
        text.push_str(&format!(",\"metadata\":{metadata}"));
    }
    text.push('}');
    text
}

fn user_type(kind: &str, version: OcsfVersion) -> (i64, &str) {
    match kind.to_ascii_lowercase().as_str() {
        "user" | "person" | "member" | "employee" | "customer" => (1, "User"),
        "admin" | "administrator" | "root" | "owner" => (2, "Admin"),
        "system" => (3, "System"),
        "service" | "service_account" | "bot" | "api_key" | "key" if version >= OcsfVersion::V1_8 => {
            (4, "Service")
        }
        _ => (OTHER, kind),
    }
}

/// Whether the schema's own pattern takes the address: other addresses are real too, but a
/// validating consumer would drop the whole event.
fn is_email(text: &str, version: OcsfVersion) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let extra: &str = match version {
        OcsfVersion::V1_1 => "_.+-",
        OcsfVersion::V1_8 => "!#$%&'*+,-./=?^_`{|}~",
    };
    let Some((label, rest)) = domain.split_once('.') else {
        return false;
    };
    let host = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !local.is_empty()
        && local.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
        && !label.is_empty()
        && label.chars().all(host)
        && !rest.is_empty()
        && rest.chars().all(|c| host(c) || c == '.')
}
