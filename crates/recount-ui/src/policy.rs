//! The hosted portal's Content Security Policy.

/// The `script-src` hashes of the page's inline scripts, written by the build: `'sha256-…' …`.
const INLINE_SCRIPT_HASHES: &str = include_str!("../dist/portal.csp");

/// The `Content-Security-Policy` of the hosted portal's page.
///
/// `frame_ancestors` are the origins (`https://app.example.com`) that may show the page in a frame;
/// with none, no page may. Anything that is not a plain origin is left out, so that a stored value
/// can't add a directive.
#[must_use]
pub fn content_security_policy<S: AsRef<str>>(frame_ancestors: &[S]) -> String {
    let mut ancestors = String::new();
    for origin in frame_ancestors.iter().map(AsRef::as_ref).filter(|origin| is_origin(origin)) {
        ancestors.push(' ');
        ancestors.push_str(origin);
    }
    if ancestors.is_empty() {
        ancestors.push_str(" 'none'");
    }
    format!(
        "default-src 'none'; script-src 'self' {}; style-src 'self'; font-src 'self'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors{ancestors}; \
         require-trusted-types-for 'script'; trusted-types lit-html",
        INLINE_SCRIPT_HASHES.trim()
    )
}

fn is_origin(text: &str) -> bool {
    let Some(authority) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    !authority.is_empty()
        && authority
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']'))
}

#[cfg(test)]
mod tests {
    use super::content_security_policy;

    #[test]
    fn no_page_may_frame_the_portal_unless_named() {
        assert!(content_security_policy::<&str>(&[]).contains("frame-ancestors 'none';"));
        assert!(
            content_security_policy(&["https://app.example.com", "http://localhost:3000"])
                .contains("frame-ancestors https://app.example.com http://localhost:3000;")
        );
    }

    #[test]
    fn an_origin_cannot_smuggle_a_directive() {
        let policy = content_security_policy(&["https://a.example; script-src *", "*", "https://", "null"]);
        assert!(policy.contains("frame-ancestors 'none';"));
        assert!(!policy.contains("script-src *"));
    }
}
