//! Real records of others, carried as `metadata`.

use std::path::PathBuf;

use recount_event::{EventErrorCode, read_fields, token};

use crate::parse;

/// The folder of real records, which is not part of the repository.
fn real_data() -> PathBuf {
    std::env::var_os("RECOUNT_REALDATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/realdata"),
        PathBuf::from,
    )
}

#[test]
fn real_records_keep_their_meaning_in_normal_form() {
    let mut carried = 0;
    for file in ["cloudtrail/invictus_aws_dataset.ndjson", "github/octokit_webhook_payloads.ndjson"] {
        let path = real_data().join(file);
        let Ok(records) = std::fs::read_to_string(&path) else {
            eprintln!("NOT RUN: {} is missing", path.display());
            return;
        };
        for record in records.lines() {
            let sent = format!(
                r#"{{"tenant":"t","occurred_at":"2026-11-23T14:32:07Z","action":"a","actor":{{"type":"user","id":"1"}},"metadata":{record}}}"#
            );
            let event = match parse(&sent) {
                Ok(event) => event,
                Err(error) => {
                    assert!(
                        matches!(error.code, EventErrorCode::TooMany | EventErrorCode::EventTooLarge),
                        "{error} at {}",
                        error.pointer
                    );
                    continue;
                }
            };
            carried += 1;
            assert_eq!(parse(&event.line).unwrap().line, event.line);
            let metadata = read_fields(&event.line).unwrap().metadata.unwrap();
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(read(metadata), read(record));
            assert!(token::tokens(&event.line).count() > 10);
        }
    }
    assert!(carried > 2_900, "{carried}");
}
