//! Saved views of the log: private to one person or key, or shared in the tenant.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod replace;

use recount_store::access::{SavedView, SavedViewDraft};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::SAVED_VIEW_BYTES_MAX;
use crate::problem::Problem;
use crate::routes::body_name;

/// What a view is made or changed to.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ViewBody {
    /// A name for people.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x20\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "Failed logins"
    )]
    name: String,
    /// Whether everybody of the tenant sees it.
    #[serde(default)]
    shared: bool,
    /// Whether its owner starts with it.
    #[serde(default, rename = "default")]
    is_default: bool,
    /// What the portal keeps in it: filter, range, zone, columns, sorting.
    #[schema(value_type = Object, example = json!({"filter": "action:user.login outcome:failure"}))]
    view: Map<String, Value>,
}

impl ViewBody {
    fn draft(self) -> Result<SavedViewDraft, Problem> {
        let bytes = serde_json::to_string(&self.view).map_or(usize::MAX, |text| text.len());
        if bytes > SAVED_VIEW_BYTES_MAX {
            return Err(Problem::invalid_body(
                "/view",
                format!("a view has at most {SAVED_VIEW_BYTES_MAX} bytes"),
            ));
        }
        Ok(SavedViewDraft {
            name: body_name("/name", &self.name)?,
            shared: self.shared,
            is_default: self.is_default,
            view: self.view,
        })
    }
}

/// A saved view.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct View {
    /// Its id.
    id: String,
    /// A name for people.
    name: String,
    /// Whether everybody of the tenant sees it.
    shared: bool,
    /// Whether its owner, if that is who looks, starts with it.
    default: bool,
    /// Whether it belongs to who looks, to change or remove.
    owned: bool,
    /// What the portal keeps in it.
    #[schema(value_type = Object)]
    view: Map<String, Value>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<SavedView> for View {
    fn from(view: SavedView) -> Self {
        Self {
            default: view.is_default,
            owned: view.owned,
            created_at: view.created_at.to_string(),
            updated_at: view.updated_at.to_string(),
            id: view.id,
            name: view.name,
            shared: view.shared,
            view: view.view,
        }
    }
}
