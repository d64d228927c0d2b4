//! Vectors of the normal form, for other implementations too. The file is only
//! ever appended to: what was once a normal form stays one, byte for byte.

use crate::parse;

#[test]
fn normal_forms_are_those_of_the_vectors() {
    let vectors = include_str!("../golden/normal-form-v1.ndjson");
    assert!(vectors.lines().count() >= 12);
    for vector in vectors.lines() {
        let vector: serde_json::Value = serde_json::from_str(vector).unwrap();
        let member = |name: &str| vector[name].as_str().unwrap();
        let event = parse(member("sent"))
            .unwrap_or_else(|error| panic!("{}: {error} at {}", member("case"), error.pointer));
        assert_eq!(event.line, member("normal"), "{}", member("case"));
        assert_eq!(parse(&event.line).unwrap().line, event.line, "{}", member("case"));
    }
}
