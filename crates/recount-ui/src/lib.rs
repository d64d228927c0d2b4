//! The built web assets (elements and hosted portal), embedded in the binary.
//!
//! `dist/` is built from `web/` (`npm run build` there), committed, and compared by CI, so that a
//! build of this crate needs no Node. Every compressible file lies beside its `.br` and `.gz` form.
//! This crate knows nothing of HTTP libraries; a server maps [`Asset`] onto its own types.

mod policy;

use std::borrow::Cow;

use rust_embed::{Embed, EmbeddedFile};

pub use policy::content_security_policy;

/// The hosted portal's page inside `dist/`.
const PORTAL_PAGE: &str = "portal.html";

#[derive(Embed)]
#[folder = "dist/"]
struct Dist;

/// How the bytes of an [`Asset`] are encoded (`Content-Encoding`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    Identity,
    /// Brotli.
    Brotli,
    /// Gzip.
    Gzip,
}

impl Encoding {
    /// The value for `Content-Encoding`, or none for [`Encoding::Identity`].
    #[must_use]
    pub fn header_value(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
        }
    }
}

/// One file of the build.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The file as built, not compressed.
    pub bytes: Cow<'static, [u8]>,
    /// The value for `Content-Type`.
    pub content_type: &'static str,
    /// A strong entity tag, quotes included; the same for all encodings, so answer with
    /// `Vary: Accept-Encoding`.
    pub etag: String,
    /// The compressed forms that exist, best first.
    pub encodings: Vec<(Encoding, Cow<'static, [u8]>)>,
}

impl Asset {
    /// The best form that a client with this `Accept-Encoding` takes.
    ///
    /// Understands names and `q=0`; a missing header means the file as it is.
    #[must_use]
    pub fn encoded_for(&self, accept_encoding: Option<&str>) -> (Encoding, &Cow<'static, [u8]>) {
        let accepted = accept_encoding.unwrap_or_default();
        self.encodings
            .iter()
            .find(|(encoding, _)| encoding.header_value().is_some_and(|name| accepts(accepted, name)))
            .map_or((Encoding::Identity, &self.bytes), |(encoding, bytes)| (*encoding, bytes))
    }
}

fn accepts(accept_encoding: &str, name: &str) -> bool {
    accept_encoding.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case(name));
        let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        named && !refused
    })
}

/// The asset with this path below `dist/` (`recount.js`, `fonts/inter.woff2`), or none.
///
/// To be served at `/assets/{path}` to anyone, cross-origin too: nothing in it is secret, and a host
/// page loads the elements from here. With a query (`?v=…`) the answer may be cached for a year;
/// without one, it should be revalidated by its entity tag.
#[must_use]
pub fn asset(path: &str) -> Option<Asset> {
    let content_type = content_type(path)?;
    let file = Dist::get(path)?;
    Some(Asset {
        etag: etag(&file),
        bytes: file.data,
        content_type,
        encodings: [(Encoding::Brotli, "br"), (Encoding::Gzip, "gz")]
            .into_iter()
            .filter_map(|(encoding, suffix)| Some((encoding, Dist::get(&format!("{path}.{suffix}"))?.data)))
            .collect(),
    })
}

/// The hosted portal's page: the answer to `/portal` and to every path below it, with
/// [`content_security_policy`] beside it and never cached without revalidation.
///
/// # Panics
/// Never in a build of this repository: the page is part of `dist/`.
#[must_use]
pub fn portal_page() -> Asset {
    asset(PORTAL_PAGE).expect("dist/portal.html is committed")
}

/// The paths of all assets that [`asset`] serves, sorted.
pub fn paths() -> impl Iterator<Item = Cow<'static, str>> {
    Dist::iter().filter(|path| content_type(path).is_some())
}

fn etag(file: &EmbeddedFile) -> String {
    const ETAG_BYTES: usize = 12;
    let hash = file.metadata.sha256_hash();
    let mut tag = String::with_capacity(2 * ETAG_BYTES + 2);
    tag.push('"');
    for byte in &hash[..ETAG_BYTES] {
        for nibble in [byte >> 4, byte & 15] {
            tag.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is a hexadecimal digit"));
        }
    }
    tag.push('"');
    tag
}

/// None for what is not served by itself: the compressed forms and the build's own notes.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}
