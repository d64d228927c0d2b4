//! Names of tenants: safe in a path, in a URL and in a log line.

use recount_event::{InvalidTenantId, TenantId, limits};

#[test]
fn names_of_the_allowed_characters_are_taken() {
    for name in ["a", "acme", "org_1", "A.b~c:d@e+f=g-h", "...", ".a", "0"] {
        assert_eq!(name.parse::<TenantId>().unwrap().as_str(), name);
    }
    assert!("x".repeat(limits::TENANT_CHARS_MAX).parse::<TenantId>().is_ok());
}

#[test]
fn other_names_are_refused_with_the_reason() {
    for (name, error) in [
        ("", InvalidTenantId::Empty),
        (".", InvalidTenantId::Dots),
        ("..", InvalidTenantId::Dots),
        ("../acme", InvalidTenantId::Character { found: '/' }),
        ("a b", InvalidTenantId::Character { found: ' ' }),
        ("é", InvalidTenantId::Character { found: 'é' }),
        ("a%2f", InvalidTenantId::Character { found: '%' }),
        ("a\0", InvalidTenantId::Character { found: '\0' }),
    ] {
        assert_eq!(name.parse::<TenantId>(), Err(error), "{name}");
    }
    assert_eq!("x".repeat(129).parse::<TenantId>(), Err(InvalidTenantId::TooLong { chars: 129 }));
}

#[test]
fn names_are_checked_when_they_come_as_json_too() {
    let tenant: TenantId = serde_json::from_str(r#""acme""#).unwrap();
    assert_eq!(serde_json::to_string(&tenant).unwrap(), r#""acme""#);
    assert!(serde_json::from_str::<TenantId>(r#""a/b""#).is_err());
}
