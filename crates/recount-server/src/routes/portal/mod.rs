//! The hosted portal: its page and the assets that pages of hosts load too.

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use recount_ui::Asset;
use sha2::{Digest as _, Sha256};

use crate::config::PortalBrand;
use crate::problem::Problem;
use crate::state::AppState;

/// An asset asked for with a version never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Without one, its entity tag is asked for each time.
const REVALIDATE: &str = "no-cache";

/// `GET /portal` and every path below: the page. Its links hold the view in the fragment.
pub(crate) async fn page(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let mut response = respond(&state.portal_page, &headers, REVALIDATE);
    let policy = recount_ui::content_security_policy(&state.config.frame_ancestors);
    let out = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        out.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if state.config.frame_ancestors.is_empty() {
        out.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    response
}

/// The page with the vendor's brand in a `meta`, which its script reads: no inline script, and not one
/// more request.
pub(crate) fn branded(brand: &PortalBrand) -> Asset {
    let page = recount_ui::portal_page();
    if *brand == PortalBrand::default() {
        return page;
    }
    let json = serde_json::to_string(brand).expect("a brand is plain text");
    let meta = format!("<meta name=\"recount-portal\" content=\"{}\" />\n</head>", escaped(&json));
    let text = String::from_utf8_lossy(&page.bytes).replacen("</head>", &meta, 1);
    let etag = format!("\"{}\"", &hex::encode(Sha256::digest(&text))[..24]);
    // Of about one kilobyte: not worth compressing at run time.
    Asset { bytes: text.into_bytes().into(), etag, encodings: Vec::new(), ..page }
}

/// Text inside of a quoted attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `GET /assets/{path}`: a file of the build, for any page: nothing in it is secret.
pub(crate) async fn asset(
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asset = recount_ui::asset(&path).ok_or_else(Problem::not_found)?;
    let versioned = query.is_some_and(|query| query.starts_with("v="));
    let mut response = respond(&asset, &headers, if versioned { FOREVER } else { REVALIDATE });
    let out = response.headers_mut();
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    out.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    Ok(response)
}

fn respond(asset: &Asset, request: &HeaderMap, caching: &'static str) -> Response {
    let text = |name| request.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let known = text(header::IF_NONE_MATCH)
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.etag));
    let (encoding, bytes) = asset.encoded_for(text(header::ACCEPT_ENCODING));
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { bytes.clone().into_response() };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Ok(etag) = HeaderValue::try_from(asset.etag.as_str()) {
        headers.insert(header::ETAG, etag);
    }
    if let (Some(encoding), false) = (encoding.header_value(), known) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}
