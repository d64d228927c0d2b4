//! Any bytes as an event. What is accepted must be JSON to another reader, its
//! normal form must be stable, and it must be readable as a stored line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recount_event::{EventErrorCode, ParseContext, parse_event, parse_event_bytes, read_fields, token};
use uuid::Uuid;

fuzz_target!(|bytes: &[u8]| {
    let context = ParseContext::default();
    match parse_event_bytes(bytes, &context, &mut Uuid::nil) {
        Ok(event) => {
            serde_json::from_slice::<serde_json::Value>(bytes).expect("what we take is JSON");
            let again = parse_event(&event.line, &context, &mut Uuid::nil)
                .expect("a normal form is accepted");
            assert_eq!(again.line, event.line);
            let fields = read_fields(&event.line).expect("a normal form can be read");
            assert_eq!(fields.id, event.id);
            assert_eq!(fields.tenant, event.tenant.as_str());
            assert_eq!(fields.occurred_at, event.occurred_at);
            token::for_each_token(&event.line, |token| assert!(!token.is_empty()));
        }
        Err(error) => {
            let about_grammar = matches!(
                error.code,
                EventErrorCode::JsonSyntax
                    | EventErrorCode::NumberMalformed
                    | EventErrorCode::StringMalformed
                    | EventErrorCode::LoneSurrogate
            );
            if about_grammar {
                // serde_json refuses depth 128 and infinite numbers too, never less than we do.
                assert!(serde_json::from_slice::<serde_json::Value>(bytes).is_err(), "{error}");
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = read_fields(text);
        token::for_each_token(text, |_| {});
    }
});
