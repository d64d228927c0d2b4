//! Any bytes as a batch. An array that another reader takes is split into the
//! same elements.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recount_event::{SplitErrorKind, ndjson_lines, split_array, split_array_bytes};
use serde_json::value::RawValue;

fuzz_target!(|bytes: &[u8]| {
    let split = split_array_bytes(bytes);
    if let Err(error) = &split {
        assert!(error.offset <= bytes.len());
        assert!(error.line >= 1 && error.column >= 1);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let as_text = split_array(text);
        assert_eq!(as_text.is_ok(), split.is_ok());
        if let Ok(theirs) = serde_json::from_str::<Vec<&RawValue>>(text) {
            match as_text {
                Ok(ours) => {
                    let theirs: Vec<&str> = theirs.iter().map(|element| element.get()).collect();
                    assert_eq!(ours, theirs);
                }
                Err(error) => assert_eq!(error.kind, SplitErrorKind::TooManyEvents, "{error}"),
            }
        }
    }
    for line in ndjson_lines(bytes) {
        assert!(!line.bytes.is_empty() && !line.bytes.contains(&b'\n'));
    }
});
