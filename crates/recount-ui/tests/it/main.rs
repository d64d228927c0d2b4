//! The committed build, seen as a server sees it.

use recount_ui::{Encoding, asset, content_security_policy, paths, portal_page};

#[test]
fn every_text_asset_is_compressed_ahead() {
    for path in paths() {
        let asset = asset(&path).expect("listed");
        let compressible = !path.ends_with(".woff2");
        assert_eq!(asset.encodings.len(), if compressible { 2 } else { 0 }, "{path}");
        for (encoding, bytes) in &asset.encodings {
            assert!(bytes.len() < asset.bytes.len(), "{path} grows as {encoding:?}");
        }
    }
}

#[test]
fn the_portal_needs_only_assets_that_exist() {
    let page = portal_page();
    let html = std::str::from_utf8(&page.bytes).expect("UTF-8");
    let referenced: Vec<&str> = html.split('"').filter_map(|part| part.strip_prefix("/assets/")).collect();
    assert!(referenced.len() >= 3, "scripts and styles are referenced: {referenced:?}");
    for reference in referenced {
        let path = reference.split('?').next().expect("split yields at least one part");
        assert!(asset(path).is_some(), "{path} is missing");
    }
}

#[test]
fn a_client_gets_the_best_encoding_it_takes() {
    let asset = asset("recount.js").expect("built");
    assert_eq!(asset.encoded_for(Some("gzip, deflate, br, zstd")).0, Encoding::Brotli);
    assert_eq!(asset.encoded_for(Some("gzip;q=0.8, br;q=0")).0, Encoding::Gzip);
    assert_eq!(asset.encoded_for(Some("identity")).0, Encoding::Identity);
    assert_eq!(asset.encoded_for(None).0, Encoding::Identity);
}

#[test]
fn entity_tags_are_quoted_and_differ() {
    let first = asset("recount.js").expect("built").etag;
    let second = asset("recount-log.js").expect("built").etag;
    assert!(first.starts_with('"') && first.ends_with('"') && first.len() > 10);
    assert_ne!(first, second);
}

#[test]
fn unknown_and_compressed_paths_are_not_served() {
    for path in ["nope.js", "recount.js.br", "portal.csp", "../Cargo.toml", ""] {
        assert!(asset(path).is_none(), "{path}");
    }
}

#[test]
fn the_policy_carries_hashes_and_no_unsafe_source() {
    let policy = content_security_policy::<&str>(&[]);
    assert!(policy.contains("script-src 'self' 'sha256-"));
    assert!(!policy.contains("unsafe"));
}
