//! Records come out whole, however the input is shaped and cut.

use std::io::{BufReader, Read};

use proptest::prelude::*;

use super::{Document, Lines, Record};

/// Gives its bytes in pieces of a chosen size, as a slow pipe would.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(self.1).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn document(text: &str, piece: usize) -> Result<Vec<(u64, String)>, String> {
    let input = BufReader::with_capacity(piece, Pieces(text.as_bytes(), piece));
    let mut records = Document::new(input, vec!["Records".to_owned()]);
    let mut found = Vec::new();
    loop {
        match records.next_record() {
            Ok(Some(Record { line, text: Ok(text), .. })) => found.push((line, text)),
            Ok(Some(Record { text: Err(unusable), .. })) => return Err(unusable.reason),
            Ok(None) => return Ok(found),
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn texts(text: &str) -> Vec<String> {
    let whole = document(text, 1 << 16).expect("readable");
    for piece in [1, 2, 3, 7] {
        assert_eq!(document(text, piece).expect("readable"), whole, "in pieces of {piece}");
    }
    whole.into_iter().map(|(_, text)| text).collect()
}

#[test]
fn an_array_gives_its_elements() {
    assert_eq!(texts("[{\"a\":1},\n {\"b\":\"]}\\\"\"} ]"), ["{\"a\":1}", "{\"b\":\"]}\\\"\"}"]);
    assert_eq!(texts("[]"), Vec::<String>::new());
    assert_eq!(texts("[1, \"x\",{}]"), ["1", "\"x\"", "{}"]);
}

#[test]
fn a_wrapper_gives_the_elements_of_its_array() {
    assert_eq!(texts("{\"Records\":[{\"a\":[1]},{\"b\":{}}]}"), ["{\"a\":[1]}", "{\"b\":{}}"]);
    assert_eq!(
        texts("{\"v\": \"Records\", \"Records\" : [ {\"a\":1} ], \"rest\": {\"Records\":[2]}}\n"),
        ["{\"a\":1}"]
    );
    assert_eq!(texts("{\"Records\":[{\"a\":1}]} {\"Records\":[{\"a\":2}]}"), ["{\"a\":1}", "{\"a\":2}"]);
    assert_eq!(texts("[{\"Records\":[{\"a\":1}]},{\"a\":2}]"), ["{\"a\":1}", "{\"a\":2}"]);
}

#[test]
fn an_object_with_another_array_is_a_record() {
    assert_eq!(
        texts("{\"a\": [1], \"b\": \"Records\"}\n{\n \"c\": 2\n}"),
        ["{\"a\": [1], \"b\": \"Records\"}", "{\n \"c\": 2\n}"]
    );
    assert_eq!(texts("{\"x\":{\"Records\":[1]}}"), ["{\"x\":{\"Records\":[1]}}"]);
}

#[test]
fn records_know_their_line() {
    let found = document("[\n{\"a\":\n1},\n\n{\"b\":2},3\n,4]", 2).expect("readable");
    assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 5, 5, 6]);
}

#[test]
fn an_input_that_ends_too_early_is_an_error_that_says_where() {
    for text in [
        "[{\"a\":1},{\"b\"",
        "[{\"a\":1}",
        "{\"Records\":[{\"a\":1}",
        "{\"Records\":[{\"a\":1}]",
        "{\"a\":\"x",
    ] {
        let reason = document(text, 5).expect_err("ends early");
        assert!(reason.contains("ends inside"), "{reason}");
    }
}

#[test]
fn lines_survive_a_broken_neighbour() {
    let mut lines = Lines::new(&b"{\"a\":1}\r\n\n  {bad\n\xff\xfe\n{\"b\":2}"[..]);
    let mut seen = Vec::new();
    while let Some(record) = lines.next_record().expect("readable") {
        seen.push((record.line, record.text.map_err(|unusable| unusable.reason)));
    }
    assert_eq!(seen.len(), 4);
    assert_eq!(seen[0], (1, Ok("{\"a\":1}".to_owned())));
    assert_eq!(seen[1], (3, Ok("{bad".to_owned())));
    assert_eq!(seen[2], (4, Err("invalid UTF-8 at byte 0".to_owned())));
    assert_eq!(seen[3], (5, Ok("{\"b\":2}".to_owned())));
}

proptest! {
    #[test]
    fn any_records_come_back_from_any_shape(values in prop::collection::vec(any_object(), 0..6), piece in 1usize..40) {
        let plain: Vec<String> = values.iter().map(serde_json::Value::to_string).collect();
        let shapes = [
            format!("[{}]", plain.join(",")),
            format!("{{\"k\":[1,\"]\"],\"Records\":[{}],\"z\":{{}}}}", plain.join(" , ")),
            plain.join("\n"),
        ];
        for shape in shapes {
            let found: Vec<String> = document(&shape, piece).expect("readable").into_iter().map(|(_, text)| text).collect();
            prop_assert_eq!(&found, &plain);
        }
    }
}

fn any_object() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(serde_json::Value::from),
        "[ -~é\"\\\\]{0,8}".prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            prop::collection::hash_map("[a-z\\]\"]{1,4}", inner, 0..3)
                .prop_map(|map| map.into_iter().collect()),
        ]
    });
    prop::collection::hash_map("[a-z]{1,3}", value, 0..3).prop_map(|map| map.into_iter().collect())
}
