//! Any text as a filter, and what follows its first line as a stored line. The
//! canonical text means the same, and compiling changes no answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recount_event::{Filter, ParseContext, parse_event};
use uuid::Uuid;

const LINE: &str = r#"{"id":"e1","tenant":"t","occurred_at":"2026-11-23T14:32:07Z","action":"role.updated","outcome":"success","actor":{"type":"user","id":"u_1","name":"Ada Lovelace","email":"ada@example.com"},"targets":[{"type":"role","id":"r_9","name":"K\u0001İ a"}],"context":{"ip":"10.2.3.4"},"tags":{"a":true,"b":"c"},"metadata":{"a":{"b.c":[1,{"d":"x\ny"}]}}}"#;

fuzz_target!(|text: &str| {
    let (filter, line) = text.split_once('\n').unwrap_or((text, LINE));
    let filter = match Filter::parse(filter) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(error.position + error.length <= filter.chars().count());
            return;
        }
    };
    let canonical = filter.to_string();
    assert_eq!(Filter::parse(&canonical).as_ref(), Ok(&filter), "{canonical}");
    let compiled = filter.compile();
    assert_eq!(compiled.matches(LINE), filter.matches(LINE));
    // Whatever the line is, no panic; an event gets one answer.
    let _ = (compiled.matches(line), filter.matches(line));
    if let Ok(event) = parse_event(line, &ParseContext::default(), &mut Uuid::nil) {
        assert_eq!(compiled.matches(&event.line), filter.matches(&event.line));
    }
});
